using System.Buffers.Binary;
using Taba.Simulation.Scheduling;

namespace Taba.Simulation.Work;

/// <summary>
/// The arithmetic of the simulation: the bytes of a row are a function of its stage, its number and the step, and of nothing else.
/// </summary>
static class Numbers
{
    /// <summary>Bytes of a row, whatever its stage says of its shape.</summary>
    public const int RowBytes = 16;

    /// <summary>The state of a row before a step; its result before the step after the last.</summary>
    public static byte[] State(string stageKey, int row, int step)
    {
        var bytes = new byte[RowBytes];
        Write(bytes, stageKey, row, step, TensorKinds.None);
        return bytes;
    }

    /// <summary>A tensor that is kept of a step.</summary>
    public static byte[] Kept(string stageKey, int row, int step, TensorKinds kind)
    {
        var bytes = new byte[RowBytes];
        Write(bytes, stageKey, row, step, kind);
        return bytes;
    }

    public static byte[] Results(string stageKey, RowRange rows, int steps)
    {
        var bytes = new byte[rows.Count * RowBytes];
        for (var row = rows.Start; row < rows.End; row++)
            Write(bytes.AsSpan((row - rows.Start) * RowBytes), stageKey, row, steps, TensorKinds.None);
        return bytes;
    }

    static void Write(Span<byte> bytes, string stageKey, int row, int step, TensorKinds kind)
    {
        var hash = Hash.Mix(Hash.Of(stageKey) ^ ((ulong)row << 32) ^ ((ulong)step << 8) ^ (ulong)kind);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, hash);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[8..], Hash.Mix(hash + 1));
    }
}

using System.Buffers.Binary;
using System.IO.Hashing;
using Taba.Storage.Objects;

namespace Taba.Storage.Checkpoints;

/// <summary>A row that is on its way through a stage's steps.</summary>
/// <param name="NextStep">The step to go on with; the number of steps when none is left.</param>
/// <param name="Evaluations">Network evaluations of this row so far, by whichever attempt.</param>
/// <param name="State">float32 row, [C,H,W].</param>
public sealed record SampleCheckpoint(int Sample, int NextStep, long Evaluations, ReadOnlyMemory<byte> State)
{
    /// <summary>The time that devices have given to this row so far, by whichever attempt.</summary>
    public TimeSpan Computing { get; init; }
}

/// <summary>
/// The format of a part's checkpoint: a head, a line for each row, the states, and a hash of it all. Little-endian; docs/design/storage.md
/// has the table.
/// </summary>
static class CheckpointFile
{
    const int HeadBytes = 16;
    const int LineBytes = 24;
    const int HashBytes = sizeof(ulong);

    static ReadOnlySpan<byte> Magic => "TABACKP3"u8;

    /// <summary>Bytes of a file with so many rows.</summary>
    public static long Size(int rows, int rowBytes) => HeadBytes + HashBytes + rows * ((long)LineBytes + rowBytes);

    /// <param name="rows">All states have the same length.</param>
    public static byte[] Encode(IReadOnlyCollection<SampleCheckpoint> rows)
    {
        var rowBytes = rows.Count == 0 ? 0 : rows.First().State.Length;
        var file = new byte[Size(rows.Count, rowBytes)];
        Magic.CopyTo(file);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(8), rows.Count);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(12), rowBytes);
        var line = file.AsSpan(HeadBytes);
        var state = file.AsSpan(HeadBytes + rows.Count * LineBytes);
        foreach (var row in rows)
        {
            BinaryPrimitives.WriteInt32LittleEndian(line, row.Sample);
            BinaryPrimitives.WriteInt32LittleEndian(line[4..], row.NextStep);
            BinaryPrimitives.WriteInt64LittleEndian(line[8..], row.Evaluations);
            BinaryPrimitives.WriteInt64LittleEndian(line[16..], row.Computing.Ticks);
            if (row.State.Length != rowBytes)
                throw new ArgumentException(
                    $"The state of row {row.Sample} has {row.State.Length} bytes and not {rowBytes}.", nameof(rows));
            row.State.Span.CopyTo(state);
            line = line[LineBytes..];
            state = state[rowBytes..];
        }
        BinaryPrimitives.WriteUInt64LittleEndian(state, XxHash64.HashToUInt64(file.AsSpan(..^HashBytes)));
        return file;
    }

    /// <summary>The rows of a file; none when it is damaged.</summary>
    public static RowSet Rows(byte[]? file)
    {
        if (file is null || file.Length < HeadBytes)
            return RowSet.Empty;
        var rows = Decode(file, BinaryPrimitives.ReadInt32LittleEndian(file.AsSpan(12)));
        return RowSet.Of([.. rows.Select(r => new RowRange(r.Sample, r.Sample + 1))]);
    }

    /// <summary>Reads the head and the lines of a file: the next step of each row. Empty when they are damaged.</summary>
    public static IReadOnlyDictionary<int, int> Steps(IObjectReader file)
    {
        var steps = new Dictionary<int, int>();
        Span<byte> head = stackalloc byte[HeadBytes];
        if (file.Length < HeadBytes + HashBytes)
            return steps;
        file.Read(0, head);
        var (rows, rowBytes) = (BinaryPrimitives.ReadInt32LittleEndian(head[8..]), BinaryPrimitives.ReadInt32LittleEndian(head[12..]));
        if (!head.StartsWith(Magic) || rows is < 0 or > CellGrid.Rows || rowBytes < 0 || file.Length != Size(rows, rowBytes))
            return steps;
        Span<byte> lines = stackalloc byte[rows * LineBytes];
        file.Read(HeadBytes, lines);
        for (; !lines.IsEmpty; lines = lines[LineBytes..])
            steps[BinaryPrimitives.ReadInt32LittleEndian(lines)] = BinaryPrimitives.ReadInt32LittleEndian(lines[4..]);
        return steps;
    }

    /// <summary>Reads a file; empty when it is damaged: it only would have saved work.</summary>
    /// <param name="rowBytes">Bytes of a row as the stage has them.</param>
    public static IReadOnlyList<SampleCheckpoint> Decode(ReadOnlyMemory<byte> file, int rowBytes)
    {
        var bytes = file.Span;
        if (rowBytes < 0 || bytes.Length < HeadBytes + HashBytes || !bytes.StartsWith(Magic)
            || BinaryPrimitives.ReadInt32LittleEndian(bytes[12..]) != rowBytes)
            return [];
        var rows = BinaryPrimitives.ReadInt32LittleEndian(bytes[8..]);
        if (rows is < 0 or > CellGrid.Rows || bytes.Length != Size(rows, rowBytes)
            || XxHash64.HashToUInt64(bytes[..^HashBytes]) != BinaryPrimitives.ReadUInt64LittleEndian(bytes[^HashBytes..]))
            return [];
        var read = new SampleCheckpoint[rows];
        for (var i = 0; i < rows; i++)
        {
            var line = bytes[(HeadBytes + i * LineBytes)..];
            read[i] = new(
                BinaryPrimitives.ReadInt32LittleEndian(line), BinaryPrimitives.ReadInt32LittleEndian(line[4..]),
                BinaryPrimitives.ReadInt64LittleEndian(line[8..]), file.Slice(HeadBytes + rows * LineBytes + i * rowBytes, rowBytes))
            {
                Computing = new(BinaryPrimitives.ReadInt64LittleEndian(line[16..])),
            };
        }
        return read;
    }
}

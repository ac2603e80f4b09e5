using System.Runtime.InteropServices;

namespace Taba.Diffusion.Metrics.Sums;

/// <summary>How partial sums are written: the name of the analysis, its shape and settings, then its numbers, little-endian.</summary>
static class PartialFormat
{
    // Read in pieces, so that a length that is stated but not there costs no memory.
    const int PieceLength = 1 << 16;

    const int MostSteps = 1 << 20;

    internal static void Begin(BinaryWriter writer, string analysis, StateShape shape)
    {
        writer.Write(analysis);
        writer.Write(shape.Channels);
        writer.Write(shape.Height);
        writer.Write(shape.Width);
    }

    /// <summary>Reads a whole analysis; the body is given the shape of its rows.</summary>
    /// <exception cref="InvalidDataException">It is another analysis, ends early, or its numbers are none of this analysis.</exception>
    internal static T Read<T>(BinaryReader reader, string analysis, Func<BinaryReader, StateShape, T> body)
    {
        try
        {
            var found = reader.ReadString();
            if (found != analysis)
                throw new InvalidDataException($"These are partial sums of '{found}', not of '{analysis}'.");
            return body(reader, new StateShape(reader.ReadInt32(), reader.ReadInt32(), reader.ReadInt32()));
        }
        catch (Exception failure) when (failure is EndOfStreamException or ArgumentException or FormatException or OverflowException)
        {
            throw new InvalidDataException($"The partial sums of '{analysis}' are damaged: {failure.Message}", failure);
        }
    }

    /// <summary>A count, which is not negative.</summary>
    internal static long ReadCount(BinaryReader reader)
    {
        var count = reader.ReadInt64();
        return count >= 0 ? count : throw new InvalidDataException($"Partial sums cannot have seen {count} values.");
    }

    internal static int ReadSteps(BinaryReader reader)
    {
        var steps = reader.ReadInt32();
        return steps is > 0 and <= MostSteps ? steps : throw new InvalidDataException($"Partial sums cannot be of {steps} steps.");
    }

    internal static void WriteAll<T>(BinaryWriter writer, ReadOnlySpan<T> values)
        where T : unmanaged => writer.Write(MemoryMarshal.AsBytes(values));

    internal static T[] ReadAll<T>(BinaryReader reader, long length)
        where T : unmanaged
    {
        if (length < 0 || length > Array.MaxLength)
            throw new InvalidDataException($"Partial sums cannot hold {length} numbers.");
        var values = new T[Math.Min(length, PieceLength)];
        for (var read = 0; read < length;)
        {
            if (read == values.Length)
                Array.Resize(ref values, (int)Math.Min(length, 2L * read));
            var piece = values.AsSpan(read, Math.Min(PieceLength, values.Length - read));
            reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(piece));
            read += piece.Length;
        }

        return values;
    }
}

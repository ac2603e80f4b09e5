using System.Runtime.InteropServices;

namespace Taba.Diffusion.Metrics;

/// <summary>How partial sums are written, little-endian, so that none of them reads more than there is.</summary>
static class PartialSumsFormat
{
    const int DoublesAtOnce = 1 << 16;

    /// <summary>Reads the version and then the rest; what goes wrong is an <see cref="InvalidDataException"/>.</summary>
    internal static T Read<T>(string what, int version, BinaryReader reader, Func<T> read)
    {
        try
        {
            var found = reader.ReadInt32();
            return found == version
                ? read()
                : throw new InvalidDataException($"The partial sums of {what} have version {found}; this program reads {version}.");
        }
        catch (Exception error) when (error is EndOfStreamException or ArgumentException or OverflowException)
        {
            throw new InvalidDataException($"The partial sums of {what} cannot be read: {error.Message}", error);
        }
    }

    /// <summary>Refuses to make room for what a stream of known length does not hold.</summary>
    internal static void Expect(this BinaryReader reader, long bytes)
    {
        var stream = reader.BaseStream;
        if (stream.CanSeek && stream.Length - stream.Position < bytes)
            throw new InvalidDataException($"They state {bytes:N0} bytes; {stream.Length - stream.Position:N0} are left.");
    }

    internal static void Write(this BinaryWriter writer, StateShape shape)
    {
        writer.Write(shape.Channels);
        writer.Write(shape.Height);
        writer.Write(shape.Width);
    }

    internal static StateShape ReadShape(this BinaryReader reader) => new(reader.ReadInt32(), reader.ReadInt32(), reader.ReadInt32());

    /// <summary>The number of values, then the values.</summary>
    internal static void WriteAll(this BinaryWriter writer, ReadOnlySpan<double> values)
    {
        writer.Write(values.Length);
        writer.Write(MemoryMarshal.AsBytes(values));
    }

    /// <summary>The number of values, then the values.</summary>
    internal static void WriteAll(this BinaryWriter writer, ReadOnlySpan<long> values)
    {
        writer.Write(values.Length);
        writer.Write(MemoryMarshal.AsBytes(values));
    }

    /// <summary>Reads values, with memory taken only as they come.</summary>
    internal static double[] ReadDoubles(this BinaryReader reader, int atMost) => reader.ReadValues<double>(atMost);

    /// <summary>Reads values, with memory taken only as they come.</summary>
    internal static long[] ReadLongs(this BinaryReader reader, int atMost) => reader.ReadValues<long>(atMost);

    static T[] ReadValues<T>(this BinaryReader reader, int atMost)
        where T : unmanaged
    {
        var count = reader.ReadInt32();
        if (count < 0 || count > atMost)
            throw new InvalidDataException($"They state {count} values; there are at most {atMost}.");

        var values = new List<T>();
        while (values.Count < count)
        {
            var have = values.Count;
            CollectionsMarshal.SetCount(values, Math.Min(count, have + DoublesAtOnce));
            reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(values)[have..]));
        }

        return [.. values];
    }
}

namespace Taba.Diffusion.Metrics.Sums;

/// <summary>How partial sums of rows begin: by the name of the analysis, which has its version, and the shape of a row.</summary>
static class AnalysisFormat
{
    const int MostSteps = 1 << 20;

    internal static void Begin(BinaryWriter writer, string analysis, StateShape shape)
    {
        writer.Write(analysis);
        writer.Write(shape);
    }

    /// <summary>Reads a whole analysis; the body is given the shape of its rows.</summary>
    /// <exception cref="InvalidDataException">It is another analysis, ends early, or its numbers are none of this analysis.</exception>
    internal static T Read<T>(BinaryReader reader, string analysis, Func<BinaryReader, StateShape, T> body)
    {
        try
        {
            var found = reader.ReadString();
            return found == analysis
                ? body(reader, reader.ReadShape())
                : throw new InvalidDataException($"These are partial sums of '{found}', not of '{analysis}'.");
        }
        catch (Exception error) when (error is EndOfStreamException or ArgumentException or FormatException or OverflowException)
        {
            throw new InvalidDataException($"The partial sums of '{analysis}' cannot be read: {error.Message}", error);
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

    internal static double[] ReadDoubles(BinaryReader reader, int count) => AsMany(reader.ReadDoubles(count), count);

    internal static long[] ReadLongs(BinaryReader reader, int count) => AsMany(reader.ReadLongs(count), count);

    static T[] AsMany<T>(T[] values, int count) => values.Length == count
        ? values : throw new InvalidDataException($"Partial sums hold {values.Length} numbers where {count} belong.");
}

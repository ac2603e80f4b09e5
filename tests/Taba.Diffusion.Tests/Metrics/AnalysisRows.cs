using Taba.Diffusion.Metrics;

namespace Taba.Diffusion.Tests.Metrics;

/// <summary>Rows for tests of analyses, and what every analysis must do with them.</summary>
static class AnalysisRows
{
    /// <summary>Normally distributed values.</summary>
    internal static float[] Normal(int seed, int count, double mean = 0, double deviation = 1)
    {
        var random = new Random(seed);
        return
        [
            .. Enumerable.Range(0, count).Select(_ => (float)(mean + (deviation
                * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble())))),
        ];
    }

    internal static float[] Plus(this float[] values, float shift) => [.. values.Select(value => value + shift)];

    internal static float[] Times(this float[] values, float factor) => [.. values.Select(value => value * factor)];

    internal static float[] Plus(this float[] values, float[] others) => [.. values.Zip(others, (a, b) => a + b)];

    /// <summary>The rows in another order.</summary>
    internal static float[] Permuted(this float[] values, int rowLength, int seed)
    {
        var order = Enumerable.Range(0, values.Length / rowLength).ToArray();
        new Random(seed).Shuffle(order);
        return [.. order.SelectMany(row => values[(row * rowLength)..((row + 1) * rowLength)])];
    }

    internal static float[] Rows(this float[] values, int rowLength, int first, int count) =>
        values[(first * rowLength)..((first + count) * rowLength)];

    /// <summary>
    /// Cuts the rows in two and in many, saves and reads each part, puts them together and compares with the whole; what is written of
    /// a part must be refused cut short and under another name.
    /// </summary>
    /// <param name="rows">Rows in all, 7 or more.</param>
    /// <param name="make">An analysis that begins at a row.</param>
    /// <param name="add">Adds so many rows from a first one.</param>
    /// <param name="same">Compares the whole with what was put together.</param>
    internal static void EqualInParts<T>(int rows, Func<int, T> make, Action<T, int, int> add, Action<T, T> same)
        where T : IPartialSums<T>
    {
        var whole = Part(0, rows);
        int[][] cuts = [[0, rows], [0, 1, rows], [0, 3, 3, 5, rows], [0, rows, rows], [0, 0, rows - 1, rows]];
        foreach (var cut in cuts)
        {
            var merged = Again(make(0));
            foreach (var (from, to) in cut.Zip(cut.Skip(1)))
                merged.Merge(Again(Part(from, to)));
            same(whole, Again(merged));
        }

        var bytes = Written(whole);
        Assert.Throws<InvalidDataException>(() => Read(bytes[..^1]));
        Assert.Throws<InvalidDataException>(() => Read(bytes[..3]));

        // Sides of 16,384 pixels that are stated, not there: behind the name and the channels.
        var hostile = bytes.ToArray();
        BitConverter.TryWriteBytes(hostile.AsSpan(1 + bytes[0] + sizeof(int)), 1 << 14);
        BitConverter.TryWriteBytes(hostile.AsSpan(1 + bytes[0] + (2 * sizeof(int))), 1 << 14);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Record.Exception(() => Read(hostile));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 64 << 20);

        bytes[1] ^= 1;
        Assert.Throws<InvalidDataException>(() => Read(bytes));

        T Part(int from, int to)
        {
            var part = make(from);
            add(part, from, (to - from) / 2);
            add(part, from + ((to - from) / 2), to - from - ((to - from) / 2));
            return part;
        }

        T Again(T analysis) => Read(Written(analysis));

        T Read(byte[] written) => T.Read(new BinaryReader(new MemoryStream(written)));

        static byte[] Written(T analysis)
        {
            var stream = new MemoryStream();
            analysis.Write(new BinaryWriter(stream));
            return stream.ToArray();
        }
    }

    /// <summary>Equal to 1e-12 relative; NaN equals NaN.</summary>
    internal static void Close(double expected, double actual, double relative = 1e-12)
    {
        if (double.IsNaN(expected))
            Assert.Equal(double.NaN, actual);
        else
            Assert.True(
                Math.Abs(expected - actual) <= relative * Math.Max(Math.Abs(expected), 1e-3), $"{expected:R} is expected, not {actual:R}.");
    }
}

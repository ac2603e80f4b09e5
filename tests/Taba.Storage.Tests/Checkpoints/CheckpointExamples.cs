using Taba.Storage.Checkpoints;

namespace Taba.Storage.Tests.Checkpoints;

/// <summary>Rows on their way, each with a state of its own.</summary>
static class CheckpointExamples
{
    /// <summary>Bytes of a row.</summary>
    public const int RowBytes = 24;

    public static SampleCheckpoint Row(int sample, int nextStep, int bytes = RowBytes) => new(
        sample, nextStep, nextStep * 10L, Enumerable.Range(0, bytes).Select(i => (byte)(sample * 31 + nextStep * 7 + i)).ToArray())
    {
        Computing = TimeSpan.FromMilliseconds(nextStep * 3 + 1),
    };

    public static void AssertSame(IEnumerable<SampleCheckpoint> expected, IEnumerable<SampleCheckpoint> actual)
    {
        static (int, int, long, TimeSpan, string) Text(SampleCheckpoint c) =>
            (c.Sample, c.NextStep, c.Evaluations, c.Computing, Convert.ToHexString(c.State.Span));
        Assert.Equal(expected.Select(Text), actual.OrderBy(c => c.Sample).Select(Text));
    }
}

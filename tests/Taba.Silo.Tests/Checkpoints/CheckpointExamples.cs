using Taba.Silo.Checkpoints;
using Taba.Silo.Tests.Storage;

namespace Taba.Silo.Tests.Checkpoints;

/// <summary>A folder of checkpoints, records to put there, and what must come out again.</summary>
public abstract class CheckpointExamples : IDisposable
{
    private protected const string Key = "abcdef0123456789";
    private protected static readonly CancellationToken None = CancellationToken.None;
    private protected readonly TestFolder _folder = new();

    private protected string[] Segments => [.. Directory.GetFiles(_folder["checkpoints"], "*.seg").Order(StringComparer.Ordinal)];

    public void Dispose()
    {
        _folder.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected SegmentCheckpointStore Open(long segmentBytes = 64 << 20, long queueBytes = 64 << 20) =>
        new(_folder.Path, new CheckpointOptions { SegmentBytes = segmentBytes, QueueBytes = queueBytes });

    static byte[] Row(int sample, int step, int bytes = 12) =>
        [.. Enumerable.Range(0, bytes).Select(i => (byte)(sample * 31 + step * 7 + i))];

    /// <summary>A record that ends before <paramref name="nextStep"/>, with eps captured at the given steps.</summary>
    private protected static CheckpointRecord Record(
        int sample, int nextStep, int[]? captured = null, string keep = "k1", string key = Key, int bytes = 12) => new(
        key, sample, keep, nextStep, nextStep * 10L, Row(sample, nextStep, bytes),
        [.. (captured ?? []).Select(step => new CapturedRow(step, TensorKinds.Eps, Row(sample, step, bytes)))]);

    private protected static void AssertIs(
        Checkpoint? checkpoint, int sample, int nextStep, int[] captured, string keep = "k1", int bytes = 12)
    {
        Assert.NotNull(checkpoint);
        Assert.Equal((keep, nextStep, nextStep * 10L), (checkpoint.KeepDigest, checkpoint.NextStep, checkpoint.Evaluations));
        Assert.Equal(Row(sample, nextStep, bytes), checkpoint.State.ToArray());
        Assert.Equal(captured, checkpoint.Captures.Select(c => c.Step));
        foreach (var capture in checkpoint.Captures)
        {
            Assert.Equal(TensorKinds.Eps, capture.Kind);
            Assert.Equal(Row(sample, capture.Step, bytes), capture.Row.ToArray());
        }
    }
}

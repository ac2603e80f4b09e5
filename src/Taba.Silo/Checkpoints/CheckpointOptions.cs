using System.ComponentModel.DataAnnotations;

namespace Taba.Silo.Checkpoints;

/// <summary>Limits of a checkpoint writer: what it holds back, and how large its files grow.</summary>
public sealed class CheckpointOptions
{
    /// <summary>Section of the settings.</summary>
    public const string Section = "Taba:Checkpoints";

    /// <summary>Bytes that may wait for the disk; beyond them <see cref="ICheckpointStore.PutAsync"/> waits.</summary>
    /// <value>The default value is 16 MiB.</value>
    [Range(1L, 1L << 40)]
    public long QueueBytes { get; set; } = 16L << 20;

    /// <summary>A segment file that has grown to this many bytes is followed by a new one.</summary>
    /// <value>The default value is 64 MiB.</value>
    [Range(1L, 1L << 40)]
    public long SegmentBytes { get; set; } = 64L << 20;

    /// <summary>
    /// In a cluster: the checkpoints of a worker that is gone are deleted after this time, when nobody used or published their rows since.
    /// </summary>
    /// <value>The default value is 30 days.</value>
    [Range(typeof(TimeSpan), "01:00:00", "3650.00:00:00")]
    public TimeSpan KeepLeftFor { get; set; } = TimeSpan.FromDays(30);

    /// <summary>In a cluster: how long the writer waits before it tries again after the store failed.</summary>
    /// <value>The default value is 2 seconds.</value>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:10:00")]
    public TimeSpan RetryAfter { get; set; } = TimeSpan.FromSeconds(2);
}

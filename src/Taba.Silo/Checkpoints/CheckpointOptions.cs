using System.ComponentModel.DataAnnotations;

namespace Taba.Silo.Checkpoints;

/// <summary>How much a checkpoint writer holds back and how large its files grow.</summary>
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
}

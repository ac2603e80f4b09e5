using System.ComponentModel.DataAnnotations;

namespace Taba.Storage.Checkpoints;

/// <summary>How the writer of checkpoints behaves.</summary>
public sealed class CheckpointOptions
{
    /// <summary>Section of the settings.</summary>
    public const string Section = "Taba:Checkpoints";

    /// <summary>In a cluster: how long the writer waits before it tries again after the store failed.</summary>
    /// <value>The default value is 2 seconds.</value>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:10:00")]
    public TimeSpan RetryAfter { get; set; } = TimeSpan.FromSeconds(2);
}

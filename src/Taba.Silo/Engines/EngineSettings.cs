using System.ComponentModel.DataAnnotations;

namespace Taba.Silo.Engines;

/// <summary>Settings of a silo's devices and of the engines on them.</summary>
public sealed class EngineSettings
{
    /// <summary>Section of the settings.</summary>
    public const string Section = "Taba:Engine";

    /// <summary>auto, all, cpu, cuda, or devices with commas between them, such as cuda:0,cuda:1.</summary>
    /// <value>The default value is auto: a CUDA device when there is one, else the processor.</value>
    [RegularExpression("^(auto|all|cpu|cuda|(cpu|cuda):[0-9]{1,3}(,(cpu|cuda):[0-9]{1,3})*)$")]
    public string Device { get; set; } = "auto";

    /// <summary>The most rows of one forward pass of a device; null lets the silo choose (docs/design/engine.md).</summary>
    /// <value>
    /// The default value is null: those with which a model makes the most evaluations a second, measured when it is first loaded; 16 on a
    /// processor and 64 on CUDA where that is no gain.
    /// </value>
    [Range(1, 65536)]
    public int? BatchSize { get; set; }

    /// <summary>How networks are computed: fast, or plain, which is the baseline (docs/design/fast-networks.md).</summary>
    /// <value>The default value is fast.</value>
    public NetworkForm Network { get; set; } = NetworkForm.Fast;

    /// <summary>
    /// Models that stay loaded on a device, and beside them as many autoencoders: before one more is loaded, the one that was idle
    /// longest goes. Those in use are never unloaded.
    /// </summary>
    /// <value>The default value is 3.</value>
    [Range(1, 100)]
    public int MaxModels { get; set; } = 3;

    /// <summary>
    /// The time between two checkpoints of a trajectory, about. A kill costs each sample at most this, or one step where that takes longer.
    /// </summary>
    /// <value>The default value is 10 seconds.</value>
    [Range(typeof(TimeSpan), "00:00:00.1", "1.00:00:00")]
    public TimeSpan CheckpointEvery { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Steps between two checkpoints, however long they take. It replaces <see cref="CheckpointEvery"/>.</summary>
    /// <value>The default value is null: by time.</value>
    [Range(1, 100_000)]
    public int? CheckpointEverySteps { get; set; }

    /// <summary>
    /// A forward pass that takes longer than this is stuck: the silo is unhealthy, a command ends, a silo of a cluster ends its
    /// process so that its
    /// work moves. 0 turns the watch off.
    /// </summary>
    /// <value>
    /// The default value is null: 5 minutes on a GPU, an hour on a processor, where a pass of a large model may take minutes.
    /// </value>
    [Range(typeof(TimeSpan), "00:00:00", "1.00:00:00")]
    public TimeSpan? StuckAfter { get; set; }

    /// <summary>A file to which every network evaluation is appended just before it begins: stage, sample, step. For audits.</summary>
    /// <value>The default value is null: no journal.</value>
    public string? EvaluationJournal { get; set; }
}

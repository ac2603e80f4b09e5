using System.ComponentModel.DataAnnotations;

namespace Taba.Silo.Engines;

/// <summary>How a silo drives its device.</summary>
public sealed class EngineSettings
{
    /// <summary>Section of the settings.</summary>
    public const string Section = "Taba:Engine";

    /// <summary>auto, cpu, cuda or cuda:N.</summary>
    /// <value>The default value is auto: CUDA when there is one, else the processor.</value>
    [RegularExpression("^(auto|cpu|cuda|cuda:[0-9]{1,2})$")]
    public string Device { get; set; } = "auto";

    /// <summary>The most rows of one forward pass; null lets the silo choose.</summary>
    /// <value>The default value is null: 16 on a processor, 64 on CUDA.</value>
    [Range(1, 65536)]
    public int? BatchSize { get; set; }

    /// <summary>Steps that a trajectory runs between two checkpoints: what a kill costs each sample at most.</summary>
    /// <value>The default value is 5.</value>
    [Range(1, 100_000)]
    public int CheckpointEverySteps { get; set; } = 5;

    /// <summary>A file to which every network evaluation is appended just before it begins: stage, sample, step. For audits.</summary>
    /// <value>The default value is null: no journal.</value>
    public string? EvaluationJournal { get; set; }
}

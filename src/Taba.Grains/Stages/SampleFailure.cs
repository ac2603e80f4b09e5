namespace Taba.Grains.Stages;

/// <summary>A sample that could not be computed.</summary>
[GenerateSerializer, Immutable, Alias("taba.SampleFailure")]
public sealed record SampleFailure(string StageKey, int Sample, int Step, string Reason)
{
    /// <summary>Why; what becomes of the sample depends on it.</summary>
    [Id(10)] public FailureKind Kind { get; init; }
}

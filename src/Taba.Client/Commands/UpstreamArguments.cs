using Taba.Grains.Sweeps;

namespace Taba.Client.Commands;

/// <summary>Which of upstream's scripts a command stands for.</summary>
enum UpstreamScript
{
    /// <summary>run_FAMILY_sampling.</summary>
    Sample,

    /// <summary>run_FAMILY_invert_swap.</summary>
    Swap,

    /// <summary>run_FAMILY_invert_forward.</summary>
    Forward,
}

/// <summary>The values of upstream's flags.</summary>
sealed record UpstreamArguments(UpstreamScript Script, UpstreamFamily Family)
{
    /// <summary>As the user names the model; in metrics.json.</summary>
    public required string ModelName { get; init; }

    public required ModelSelection Model { get; init; }

    public required int NumInferenceSteps { get; init; }

    public long Seed { get; init; } = 42;

    /// <summary>Null lets the engine choose.</summary>
    public int? BatchSize { get; init; } = 64;

    public int Samples { get; init; } = 1024;

    public bool WithInversion { get; init; }

    public bool WithReconstruction { get; init; }

    public bool Internal { get; init; }

    public string? SaveDir { get; init; }

    public string? Out { get; init; }

    public int NParts { get; init; } = 1;

    public int PartIdx { get; init; }

    public string? InputNoisePath { get; init; }

    public string? InputImagePath { get; init; }

    public string? InputCondPath { get; init; }

    public ConditionRequest Conditions { get; init; } = new();

    public double GuidanceScale { get; init; } = 1;

    public bool Decode { get; init; } = true;

    public string? SwapPath { get; init; }

    public int? SwapBeforeT { get; init; }

    public string? SwapType { get; init; }

    public int? ForwardBeforeT { get; init; }

    public long ForwardSeed { get; init; } = 42;

    public ForwardAlignment ForwardAlignment { get; init; }
}

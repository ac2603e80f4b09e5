using Taba.Grains.Sweeps;

namespace Taba.Silo.Outputs;

/// <summary>What replaced the first inversion steps of a run, field by field.</summary>
/// <param name="Type"><c>forward</c> or <c>swap</c>.</param>
/// <param name="Before">K: how many steps.</param>
public sealed record RunIntervention(string Type, int Before)
{
    /// <summary><c>eps</c> or <c>xt</c>; null for forward replacement.</summary>
    public string? SwapType { get; init; }

    /// <summary>Seed of the forward noise; null for a swap.</summary>
    public long? ForwardSeed { get; init; }

    /// <summary><c>upstream</c> or <c>consistent</c>; null for a swap.</summary>
    public string? ForwardAlignment { get; init; }

    /// <summary>Null for the plain run.</summary>
    public static RunIntervention? Of(PlannedRun run, IEnumerable<PlannedStage> stages) => run.Intervention switch
    {
        null => null,
        { Swap: { } swap } intervention =>
            new("swap", intervention.Before) { SwapType = swap == SwapKind.Eps ? "eps" : "xt" },
        var intervention => new("forward", intervention.Before)
        {
            ForwardSeed = intervention.Seed,
            ForwardAlignment = stages.Any(s => s.Spec.Forward is { Consistent: true }) ? "consistent" : "upstream",
        },
    };
}

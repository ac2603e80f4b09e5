using System.Collections.Immutable;

namespace Taba.Grains.Sweeps;

/// <summary>How the run folders of a sweep are written, for whoever writes them later. Not part of a sweep's identity.</summary>
/// <param name="Format">Of tensors.</param>
/// <param name="WithMetrics">Whether metrics.json has metrics.</param>
/// <param name="Flat">The only run's files go directly into the folder that is asked for, not into sweep/run below it.</param>
/// <param name="DeviceKind">The kind of device for which it was planned.</param>
[GenerateSerializer, Immutable, Alias("taba.PlannedFiles")]
public sealed record PlannedFiles(TensorFormat Format, bool WithMetrics, bool Flat, string DeviceKind)
{
    /// <summary>The user's parameters, as <see cref="SweepSpec.Parameters"/>; default when they are derived from each run.</summary>
    [Id(10)] public ImmutableArray<KeyValuePair<string, string>> Parameters { get; init; }

    /// <summary>As a sweep asks for them.</summary>
    public static PlannedFiles Of(SweepSpec spec, string deviceKind) => new(spec.Format, spec.WithMetrics, spec.FlatOutput, deviceKind)
    {
        Parameters = spec.Parameters is { } given ? [.. given] : default,
    };

    /// <summary>A sweep with these.</summary>
    public SweepSpec In(SweepSpec spec) => spec with
    {
        Format = Format,
        WithMetrics = WithMetrics,
        FlatOutput = Flat,
        Parameters = Parameters.IsDefault ? null : Parameters.ToDictionary(),
    };
}

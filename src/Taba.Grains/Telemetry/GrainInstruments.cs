using Taba.Grains.Stages;

namespace Taba.Grains.Telemetry;

/// <summary>The names that the instruments of grains share (docs/guide/telemetry.md).</summary>
static class GrainInstruments
{
    public const string MeterName = "Taba.Grains";

    public static readonly string? Version = typeof(GrainInstruments).Assembly.GetName().Version?.ToString(3);

    /// <summary>
    /// The model's name; that of its folder or file when it has none. A series for each model, whatever the number of stages.
    /// </summary>
    public static string Model(StageSpec spec) => spec.Model.Name ?? Path.GetFileName(Path.TrimEndingDirectorySeparator(spec.Model.Path));

    public static KeyValuePair<string, object?>[] Tags(string model, StageKind kind) =>
        [new("taba.model", model), new("taba.stage.kind", kind.ToString().ToLowerInvariant())];
}

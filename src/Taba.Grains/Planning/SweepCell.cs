using System.Globalization;
using Taba.Grains.Sweeps;

namespace Taba.Grains.Planning;

/// <summary>One combination of the values of a sweep's axes, and what it calls its runs.</summary>
/// <param name="Model">What the sweep calls the model.</param>
/// <param name="Checkpoint">What it calls the weights; null where they are no axis.</param>
/// <param name="NumInferenceSteps">T of sampling.</param>
/// <param name="InversionSteps">T of inversion; null where that is no axis.</param>
readonly record struct SweepCell(
    string Model, string? Checkpoint, int NumInferenceSteps, int? InversionSteps, double Guidance, long Seed)
{
    /// <summary>T of inversion and of the reconstruction from it.</summary>
    public int StepsOfInversion => InversionSteps ?? NumInferenceSteps;

    /// <summary>All of one model, in the order of the sweep file.</summary>
    public static IEnumerable<SweepCell> Of(SweepSpec spec, string model, string? checkpoint) =>
        from steps in spec.NumInferenceSteps
        from inversion in spec.InversionSteps.Count == 0 ? [null] : spec.InversionSteps.Select(s => (int?)s)
        from guidance in spec.GuidanceScales
        from seed in spec.Seeds
        select new SweepCell(model, checkpoint, steps, inversion, Math.Max(1, guidance), seed);

    /// <summary>Axis values, by the names of a sweep file.</summary>
    public IEnumerable<KeyValuePair<string, string>> Axes()
    {
        yield return new("model", Model);
        if (Checkpoint is not null)
            yield return new("weights", Checkpoint);
        yield return new("num_inference_steps", $"{NumInferenceSteps}");
        if (InversionSteps is { } inversion)
            yield return new("inversion_steps", $"{inversion}");
        if (Guidance > 1)
            yield return new("guidance_scale", Guidance.ToString("R", CultureInfo.InvariantCulture));
        yield return new("seed", $"{Seed}");
    }

    /// <summary>The name of the folder of a run.</summary>
    public string Slug(Intervention? intervention)
    {
        var checkpoint = Checkpoint is null ? "" : $"_{Checkpoint}";
        // Inversion in as many steps as sampling is the run of a sweep without that axis, and has its folder.
        var inversion = StepsOfInversion == NumInferenceSteps ? "" : $"_inv{StepsOfInversion}";
        var guidance = Guidance > 1 ? string.Create(CultureInfo.InvariantCulture, $"_gs{Guidance}") : "";
        var slug = $"{Model}{checkpoint}_T{NumInferenceSteps}{inversion}{guidance}_seed{Seed}";
        return intervention switch
        {
            null => slug,
            { Kind: InterventionKind.Forward } => $"{slug}_{intervention.Slug}_seed{intervention.Seed}",
            _ => $"{slug}_{intervention.Slug}",
        };
    }
}

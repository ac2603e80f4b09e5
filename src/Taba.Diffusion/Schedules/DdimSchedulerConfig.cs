using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Taba.Diffusion.Json;

namespace Taba.Diffusion.Schedules;

/// <summary>The β curves that scheduler_config.json files name.</summary>
public enum BetaCurve
{
    /// <summary>β evenly spaced.</summary>
    Linear,

    /// <summary>√β evenly spaced (latent diffusion).</summary>
    ScaledLinear,

    /// <summary>ᾱ follows a squared cosine.</summary>
    SquaredCosine,

    /// <summary>The file lists every β.</summary>
    Listed,
}

/// <summary>
/// The fields of a diffusers scheduler_config.json that decide the numbers of DDIM. Which scheduler class the file names plays no part:
/// upstream builds its DDIM schedulers from any. Immutable.
/// </summary>
public sealed record DdimSchedulerConfig
{
    const int MaxSteps = 1_000_000;

    /// <summary>num_train_timesteps.</summary>
    public int NumTrainTimesteps { get; init; } = 1000;

    public BetaCurve BetaCurve { get; init; } = BetaCurve.Linear;

    public double BetaStart { get; init; } = 0.0001;

    public double BetaEnd { get; init; } = 0.02;

    /// <summary>trained_betas; empty unless <see cref="BetaCurve"/> is Listed.</summary>
    public ImmutableArray<double> TrainedBetas { get; init; } = [];

    /// <summary>The level beyond the last step is ᾱ = 1 and not that of timestep 0.</summary>
    public bool SetAlphaToOne { get; init; } = true;

    /// <summary>steps_offset, added to every timestep.</summary>
    public int StepsOffset { get; init; }

    /// <summary>x̂0 is clamped (in sampling only where it is not thresholded).</summary>
    public bool ClipSample { get; init; } = true;

    public double ClipSampleRange { get; init; } = 1;

    /// <summary>Dynamic thresholding (Saharia et al. 2022, section 2.3) in sampling.</summary>
    public bool Thresholding { get; init; }

    public double DynamicThresholdingRatio { get; init; } = 0.995;

    public double SampleMaxValue { get; init; } = 1;

    /// <summary>Reads scheduler_config.json.</summary>
    /// <param name="element">The object.</param>
    /// <param name="source">The file, for messages.</param>
    /// <exception cref="InvalidDataException">
    /// A field is of the wrong type, out of range, or asks for what DDIM here does not do.
    /// </exception>
    public static DdimSchedulerConfig Parse(JsonElement element, string source)
    {
        if (element.ValueKind != JsonValueKind.Object)
            throw new InvalidDataException($"{source}: a JSON object is expected, found {element.ValueKind}.");
        var fields = new JsonFields(element, source);
        Require(fields, "prediction_type", "epsilon", "only networks that predict eps are supported");
        Require(fields, "timestep_spacing", "leading", "upstream's inversion is defined for evenly spaced leading timesteps");
        if (fields.Bool("rescale_betas_zero_snr", false))
            throw fields.Wrong("rescale_betas_zero_snr", "false: at a terminal ᾱ of 0 DDIM inversion is not defined");

        var steps = fields.Int("num_train_timesteps", 1000, 1, MaxSteps);
        var listed = fields.Has("trained_betas") ? fields.Numbers("trained_betas", steps) : [];
        if (listed.Any(beta => beta is <= 0 or >= 1))
            throw fields.Wrong("trained_betas", "numbers between 0 and 1");
        return new DdimSchedulerConfig
        {
            NumTrainTimesteps = steps,
            BetaCurve = listed.Length > 0 ? BetaCurve.Listed : Curve(fields),
            BetaStart = Beta(fields, "beta_start", 0.0001),
            BetaEnd = Beta(fields, "beta_end", 0.02),
            TrainedBetas = [.. listed],
            SetAlphaToOne = fields.Bool("set_alpha_to_one", true),
            StepsOffset = fields.Int("steps_offset", 0, 0, steps - 1),
            ClipSample = fields.Bool("clip_sample", true),
            ClipSampleRange = fields.Number("clip_sample_range", 1, 1e-6, 1e6),
            Thresholding = fields.Bool("thresholding", false),
            DynamicThresholdingRatio = fields.Number("dynamic_thresholding_ratio", 0.995, 0, 1),
            SampleMaxValue = fields.Number("sample_max_value", 1, 1, 1e6),
        };
    }

    /// <summary>One line that says all of it: equal schedulers have equal lines. For digests.</summary>
    public string Canonical => string.Create(CultureInfo.InvariantCulture,
        $"ddim steps={NumTrainTimesteps} curve={BetaCurve} beta={BetaStart:R}..{BetaEnd:R} "
        + $"trained={string.Join(';', TrainedBetas.Select(b => b.ToString("R", CultureInfo.InvariantCulture)))} "
        + $"alpha_to_one={SetAlphaToOne} offset={StepsOffset} clip={(ClipSample ? ClipSampleRange : 0):R} "
        + $"threshold={(Thresholding ? DynamicThresholdingRatio : 0):R}/{(Thresholding ? SampleMaxValue : 0):R}");

    static BetaCurve Curve(JsonFields fields) => fields.Text("beta_schedule", "linear") switch
    {
        "linear" => BetaCurve.Linear,
        "scaled_linear" => BetaCurve.ScaledLinear,
        "squaredcos_cap_v2" => BetaCurve.SquaredCosine,
        _ => throw fields.Wrong("beta_schedule", "\"linear\", \"scaled_linear\" or \"squaredcos_cap_v2\""),
    };

    static double Beta(JsonFields fields, string name, double otherwise) => fields.Number(name, otherwise, 1e-12, 0.999999);

    static void Require(JsonFields fields, string name, string value, string why)
    {
        if (fields.Text(name, value) != value)
            throw fields.Wrong(name, $"\"{value}\": {why}");
    }
}

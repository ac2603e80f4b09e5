using System.Collections.Immutable;
using System.Globalization;
using Taba.Diffusion.Json;
using Taba.Diffusion.Schedules;
using static TorchSharp.torch;

namespace Taba.Diffusion.Models.Gaussian;

/// <summary>Independent Gaussian pixels of given mean and deviation: a model whose every number is known in closed form.</summary>
public sealed record GaussianDefinition : GuidedDiffusionDefinition
{
    /// <summary>Of each channel.</summary>
    public required ImmutableArray<double> Mean { get; init; }

    /// <summary>Of each channel, 0 or more.</summary>
    public required ImmutableArray<double> Deviation { get; init; }

    public override string Family => "gaussian";

    public override bool NeedsWeights => false;

    public override IReadOnlyList<KeyValuePair<string, long[]>> Parameters => [];

    protected override bool HasUpstreamNumbers => false;

    protected override string Architecture => $"gaussian mean={Listed(Mean)} deviation={Listed(Deviation)}";

    internal static GaussianDefinition Read(JsonFields fields, string name)
    {
        var channels = fields.Int("channels", 3, 1, 4096);
        int? size = fields.Has("image_size") ? fields.Int("image_size", null, 1, 65536) : null;
        var height = fields.Int("height", size, 1, 65536);
        var width = fields.Int("width", size, 1, 65536);
        var deviation = fields.Numbers("deviation", channels);
        if (deviation.Any(d => d < 0))
            throw fields.Wrong("deviation", "0 or more");
        return new GaussianDefinition
        {
            Name = name,
            Shape = new StateShape(channels, height, width),
            Mean = [.. fields.Numbers("mean", channels)],
            Deviation = [.. deviation],
            DiffusionSteps = fields.Int("diffusion_steps", 1000, 1, 1_000_000),
            NoiseSchedule = fields.Schedule("noise_schedule"),
            RescaleTimesteps = fields.Bool("rescale_timesteps", false),
        };
    }

    public override ModelDefinition WithSampleSize(int height, int width)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        return this with { Shape = Shape with { Height = height, Width = width } };
    }

    public override IReadOnlyList<string> WeightFiles(string? given) =>
        given is null
            ? []
            : throw new ArgumentException(
                $"Model {Name} is of the family gaussian, which has no weights, but {given} was given.", nameof(given));

    public override void CheckWeights(string? given) => WeightFiles(given);

    public override IDenoiser Load(string? given, Device device, ScalarType networkDtype, NetworkForm form = NetworkForm.Fast)
    {
        CheckWeights(given);
        return new GaussianDenoiser(this, device);
    }

    static string Listed(ImmutableArray<double> values) =>
        string.Join(',', values.Select(v => v.ToString("R", CultureInfo.InvariantCulture)));
}

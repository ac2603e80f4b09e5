using Taba.Diffusion.Weights;
using static TorchSharp.torch;

namespace Taba.Diffusion.Models.Adm;

/// <summary>A guided-diffusion checkpoint.</summary>
public sealed record AdmDefinition : GuidedDiffusionDefinition
{
    public required AdmConfig Config { get; init; }

    public override string Family => "adm";

    public override int? ClassCount => Config.ClassCond ? Config.NumClasses : null;

    /// <remarks>Of a checkpoint that is meant to run so, the torso is float16.</remarks>
    public override UpstreamPrecision Upstream =>
        UpstreamPrecision.Single with { Network = Config.UseFp16 ? ScalarType.Float16 : ScalarType.Float32 };

    public override IReadOnlyList<KeyValuePair<string, long[]>> Parameters => AdmParameters.Expected(Config);

    protected override string Architecture => Config.Canonical();

    public override ModelDefinition WithSampleSize(int height, int width)
    {
        var multiple = 1 << (Config.LevelChannels.Length - 1);
        if (height < 1 || width < 1 || height % multiple != 0 || width % multiple != 0)
        {
            throw new ArgumentException(
                $"Model {Name} cannot work on {height}x{width}: its sides must be multiples of {multiple}, "
                + $"because it halves them {Config.LevelChannels.Length - 1} times.");
        }

        return this with { Shape = Shape with { Height = height, Width = width } };
    }

    public override IReadOnlyList<string> WeightFiles(string? given) =>
        [given ?? WeightsPath ?? throw new ArgumentException(
            $"Model {Name} needs weights: name a checkpoint in the field 'weights' of its model.json.", nameof(given))];

    public override void CheckWeights(string? given)
    {
        using var file = WeightsFile.Open(WeightFiles(given)[0]);
        WeightsMismatchException.ThrowIfDifferent(file, Parameters);
    }

    public override IDenoiser Load(string? given, Device device, ScalarType networkDtype, NetworkForm form = NetworkForm.Fast)
    {
        using var file = WeightsFile.Open(WeightFiles(given)[0]);
        return AdmUnet.Load(Config, file, device, networkDtype, Shape, form);
    }
}

using Taba.Diffusion.Weights;
using static TorchSharp.torch;

namespace Taba.Diffusion.Models.Adm;

/// <summary>A guided-diffusion checkpoint.</summary>
public sealed record AdmDefinition : ModelDefinition
{
    public required AdmConfig Config { get; init; }

    public override string Family => "adm";

    public override int? ClassCount => Config.ClassCond ? AdmConfig.Classes : null;

    public override bool UseFp16 => Config.UseFp16;

    public override bool NeedsWeights => true;

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

    public override IDenoiser Build(IWeightSource? weights, Device device, ScalarType networkDtype) =>
        weights is null
            ? throw new ArgumentException($"Model {Name} needs weights: name a checkpoint in the field 'weights' of its model.json.", nameof(weights))
            : AdmUnet.Load(Config, weights, device, networkDtype, Shape);
}

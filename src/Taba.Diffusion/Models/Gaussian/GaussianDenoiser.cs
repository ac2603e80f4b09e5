using Taba.Diffusion.Native;
using Taba.Diffusion.Schedules;
using TorchSharp;
using static TorchSharp.torch;

namespace Taba.Diffusion.Models.Gaussian;

/// <summary>
/// The expectation of the noise given the state, for independent Gaussian pixels N(mean, deviation²):
/// eps = √(1-ᾱ) · (x - √ᾱ·mean) / (ᾱ·deviation² + 1 - ᾱ). Computed in float64, returned in float32.
/// </summary>
sealed class GaussianDenoiser : IDenoiser
{
    readonly Scalar _stepsPerUnit;

    /// <summary>eps = slope·x - offset; [diffusion steps, C], float64.</summary>
    readonly Tensor _slopes;
    readonly Tensor _offsets;

    public GaussianDenoiser(GaussianDefinition definition, Device device)
    {
        Shape = definition.Shape;
        Device = device;
        var steps = definition.DiffusionSteps;
        _stepsPerUnit = definition.RescaleTimesteps ? (steps / 1000.0).ToScalar() : Scalars.One;

        var (slope, offset) = (new double[steps, Shape.Channels], new double[steps, Shape.Channels]);
        var alphaBar = 1.0;
        var betas = BetaSchedule.Create(definition.NoiseSchedule, steps);
        for (var t = 0; t < steps; t++)
        {
            alphaBar *= 1 - betas[t];
            for (var c = 0; c < Shape.Channels; c++)
            {
                var (mean, deviation) = (definition.Mean[c], definition.Deviation[c]);
                slope[t, c] = Math.Sqrt(1 - alphaBar) / ((alphaBar * deviation * deviation) + 1 - alphaBar);
                offset[t, c] = slope[t, c] * Math.Sqrt(alphaBar) * mean;
            }
        }

        using var scope = NewDisposeScope();
        _slopes = tensor(slope).to(device).DetachFromDisposeScope();
        _offsets = tensor(offset).to(device).DetachFromDisposeScope();
    }

    public StateShape Shape { get; }

    public Device Device { get; }

    public int? ClassCount => null;

    public Tensor PredictEps(Tensor xt, Tensor timesteps, Tensor? conditions)
    {
        using var scope = NewDisposeScope();

        // The network's input is the step number, perhaps rescaled: a whole number again after undoing that.
        var steps = timesteps.to(ScalarType.Float64).mul(_stepsPerUnit).round().to(ScalarType.Int64);
        var slope = _slopes.index_select(0, steps).unsqueeze(-1).unsqueeze(-1);
        var offset = _offsets.index_select(0, steps).unsqueeze(-1).unsqueeze(-1);
        return xt.to(ScalarType.Float64).mul(slope).sub(offset).to(ScalarType.Float32).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        _slopes.Dispose();
        _offsets.Dispose();
    }
}

using Taba.Diffusion.Models;

namespace Taba.Diffusion.Engine;

/// <summary>What of a model decides whether a trajectory fits it.</summary>
sealed record DenoiserFacts(StateShape Shape, int? ClassCount, long? NullClass, TextShape? Text)
{
    public static DenoiserFacts Of(IDenoiser model) => new(model.Shape, model.ClassCount, model.NullClass, model.Text);
}

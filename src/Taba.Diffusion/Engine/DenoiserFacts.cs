using Taba.Diffusion.Models;

namespace Taba.Diffusion.Engine;

/// <summary>The facts of a model that decide whether a trajectory fits it.</summary>
sealed record DenoiserFacts(StateShape Shape, int? ClassCount, long? NullClass, TextShape? Text)
{
    public static DenoiserFacts Of(IDenoiser model) => new(model.Shape, model.ClassCount, model.NullClass, model.Text);
}

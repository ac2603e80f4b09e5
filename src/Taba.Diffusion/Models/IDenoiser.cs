using static TorchSharp.torch;

namespace Taba.Diffusion.Models;

/// <summary>
/// A network that predicts the noise in a state, on one device. It does not change while it predicts, so that several threads (engines'
/// on shares of one processor) may use it side by side; each inside a dispose scope and inference mode that it opened.
/// </summary>
public interface IDenoiser : IDisposable
{
    /// <summary>The shape of one row of the state.</summary>
    StateShape Shape { get; }

    /// <summary>The device of the weights.</summary>
    Device Device { get; }

    /// <summary>The number of classes of a class-conditional model; null when it takes no classes.</summary>
    int? ClassCount { get; }

    /// <summary>The class that stands for no condition; null when there is none, and then no guidance.</summary>
    long? NullClass => null;

    /// <summary>The embeddings that a text-conditional model takes; null when it takes none.</summary>
    TextShape? Text => null;

    /// <summary>The type in which embeddings are kept on the device.</summary>
    ScalarType TextType => ScalarType.Float32;

    /// <summary>Predicts eps. Rows are independent of each other.</summary>
    /// <param name="xt">[B,C,H,W], float32.</param>
    /// <param name="timesteps">[B], float32: what the network receives (already respaced and rescaled).</param>
    /// <param name="conditions">
    /// [B], int64 classes, or [B,L,D] embeddings in <see cref="TextType"/>; null exactly when the model is unconditional.
    /// </param>
    /// <returns>eps, [B,C,H,W], float32; learned variance channels are dropped.</returns>
    Tensor PredictEps(Tensor xt, Tensor timesteps, Tensor? conditions);
}

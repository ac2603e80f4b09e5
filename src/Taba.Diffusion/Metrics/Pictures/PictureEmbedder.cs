using static TorchSharp.torch;

namespace Taba.Diffusion.Metrics.Pictures;

/// <summary>A network that gives features of pictures. Owns it.</summary>
/// <param name="Network">What is freed.</param>
/// <param name="Side">Pixels that it takes along each side.</param>
/// <param name="Prepare">Makes [3,side,side] of a picture; safe for several threads.</param>
/// <param name="Forward">[B,3,side,side] to [B,D].</param>
sealed record PictureEmbedder(IDisposable Network, int Side, Func<Picture, float[]> Prepare, Func<Tensor, Tensor> Forward) : IDisposable
{
    public void Dispose() => Network.Dispose();

    /// <summary>Features of some pictures, in their order.</summary>
    public void Run(
        PicturePass pass, IPictures pictures, long first, long count, Action<ReadOnlySpan<float>> take, CancellationToken cancellation) =>
        pass.Run(pictures, first, count, Side, Prepare, Forward, take, cancellation);

    /// <summary>Features of a few pictures, [count,D].</summary>
    public float[] Of(PicturePass pass, IPictures pictures, long first, long count, CancellationToken cancellation)
    {
        var all = new List<float>();
        Run(pass, pictures, first, count, features => all.AddRange(features), cancellation);
        return [.. all];
    }
}

using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Taba.Diffusion.Metrics.Pictures;

/// <summary>
/// How pictures go through a network: some at a time, prepared on all cores, so that memory does not grow with their number.
/// </summary>
/// <param name="Device">Where the network is.</param>
/// <param name="BatchSize">Pictures at a time, 1 or more.</param>
public sealed record PicturePass(Device Device, int BatchSize)
{
    /// <summary>Puts pictures through a network in their order.</summary>
    /// <param name="pictures">All of them.</param>
    /// <param name="first">The first that is wanted.</param>
    /// <param name="count">How many.</param>
    /// <param name="side">Pixels that the network takes along each side.</param>
    /// <param name="prepare">Makes [3,side,side] of a picture; called on several threads.</param>
    /// <param name="forward">The network: [B,3,side,side] to [B,D], on its device.</param>
    /// <param name="take">Is given [B,D] of each batch.</param>
    /// <param name="cancellation">Ends the work between two batches.</param>
    public void Run(
        IPictures pictures, long first, long count, int side, Func<Picture, float[]> prepare, Func<Tensor, Tensor> forward,
        Action<ReadOnlySpan<float>> take, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(pictures);
        for (var at = first; at < first + count; at += BatchSize)
        {
            cancellation.ThrowIfCancellationRequested();
            var batch = pictures.Read(at, (int)Math.Min(BatchSize, first + count - at));
            using var scope = NewDisposeScope();
            using var quiet = no_grad();
            var input = empty([batch.Count, 3, side, side], ScalarType.Float32, CPU);
            var length = 3 * side * side;
            var prepared = new float[batch.Count][];
            Parallel.For(0, batch.Count, i => prepared[i] = prepare(batch[i]));
            for (var i = 0; i < batch.Count; i++)
                prepared[i].CopyTo(MemoryMarshal.Cast<byte, float>(input.bytes)[(i * length)..]);
            var output = forward(input.to(Device)).to(CPU).contiguous();
            take(MemoryMarshal.Cast<byte, float>(output.bytes));
            GC.KeepAlive(output);
        }
    }
}

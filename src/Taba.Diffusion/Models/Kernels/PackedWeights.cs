using System.Collections.Concurrent;
using Taba.Diffusion.Native;
using static TorchSharp.torch;

namespace Taba.Diffusion.Models.Kernels;

/// <summary>
/// The weights of one convolution in oneDNN's orders. Which order it wants depends on the size of the input: each is made when the first
/// input needs it, and the plain one is freed then. Several threads may use it side by side.
/// </summary>
/// <remarks>
/// Weights in another order than the wanted one are still right, but oneDNN then reorders them in every call, by code that takes
/// milliseconds. There are two or three orders at most (widths of a block), and in a 3x3 convolution mostly one.
/// </remarks>
sealed class PackedWeights : IDisposable
{
    /// <summary>
    /// So much is freed before it is given back: packed weights do not fit the gaps that plain ones leave, which would stay until the
    /// process ends (a third of a network's weights).
    /// </summary>
    const long ReturnedAtOnce = 128 << 20;

    static long s_freed;

    readonly ConcurrentDictionary<InputSize, Tensor> _bySize = [];
    readonly Dictionary<ulong, Tensor> _byOrder = [];
    readonly Lock _gate = new();
    readonly long _stride;
    readonly long _padding;
    Tensor _source;

    /// <param name="weight">[Out,In,K,K], float32 or bfloat16, contiguous; stays as it is, but its memory is held.</param>
    /// <param name="stride">Along both axes.</param>
    /// <param name="padding">Zeros on each side.</param>
    public PackedWeights(Tensor weight, long stride, long padding)
    {
        _source = weight.alias().DetachFromDisposeScope();
        _stride = stride;
        _padding = padding;
    }

    /// <param name="x">[B,In,H,W], with the channels innermost.</param>
    /// <param name="bias">[Out], or null.</param>
    /// <param name="geluTanh">Whether GELU by its tanh approximation follows.</param>
    /// <returns>[B,Out,H',W'], with the channels innermost.</returns>
    public Tensor Convolve(Tensor x, Tensor? bias, bool geluTanh = false)
    {
        var size = new InputSize(x.size(0), x.size(2), x.size(3));
        return OneDnn.Convolve(x, _bySize.TryGetValue(size, out var packed) ? packed : Pack(size), bias, _stride, _padding, geluTanh);
    }

    public void Dispose()
    {
        _source.Dispose();
        foreach (var packed in _byOrder.Values)
            packed.Dispose();
    }

    Tensor Pack(InputSize size)
    {
        lock (_gate)
        {
            var order = PackedOrder.Of(_source, _stride, _padding, size);
            if (!_byOrder.TryGetValue(order, out var packed))
            {
                using var scope = NewDisposeScope();
                var plain = _byOrder.Count == 0 ? _source : _source.to_dense();
                packed = OneDnn.Pack(plain, _stride, _padding, size.Of(plain)).DetachFromDisposeScope();
                // Whatever order comes next can be made of this one.
                if (_byOrder.Count == 0)
                {
                    Free(_source);
                    _source = packed;
                }
                _byOrder.Add(order, packed);
            }
            return _bySize[size] = packed;
        }
    }

    static void Free(Tensor plain)
    {
        var bytes = plain.NumberOfElements * plain.element_size();
        plain.Dispose();
        if (Interlocked.Add(ref s_freed, bytes) < ReturnedAtOnce)
            return;
        Interlocked.Exchange(ref s_freed, 0);
        LinuxLibc.ReturnFreedMemory();
    }
}

/// <summary>The size of a convolution's input, without its channels, which are the weights'.</summary>
readonly record struct InputSize(long Rows, long Height, long Width)
{
    public long[] Of(Tensor weight) => [Rows, weight.size(1), Height, Width];
}

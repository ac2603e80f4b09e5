using System.Collections.Concurrent;
using System.IO.Hashing;
using Taba.Diffusion.Native;
using Taba.Diffusion.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace Taba.Diffusion.Models.Kernels;

/// <summary>
/// Tells oneDNN's orders of weights apart. It does not name them, so a probe of the same shape is packed and what it looks like in memory
/// is remembered, once a process for each shape and size of input.
/// </summary>
static class PackedOrder
{
    const long Seed = 1;

    static readonly ConcurrentDictionary<Probe, ulong> s_known = [];

    /// <returns>The same for sizes whose weights lie in memory alike.</returns>
    public static ulong Of(Tensor weight, long stride, long padding, InputSize size) => s_known.GetOrAdd(
        new(weight.size(0), weight.size(1), weight.size(2), weight.dtype, stride, padding, size), static probe => probe.Look());

    sealed record Probe(long Out, long In, long Kernel, ScalarType Dtype, long Stride, long Padding, InputSize Size)
    {
        public unsafe ulong Look()
        {
            using var scope = NewDisposeScope();
            using var generator = new Generator(Seed);
            var weight = randn([Out, In, Kernel, Kernel], generator: generator).to(Dtype);
            var packed = OneDnn.Pack(weight, Stride, Padding, Size.Of(weight));
            // The first part is enough: an order differs from its beginning.
            var bytes = Math.Min(weight.numel() * ElementTypes.Size(Dtype), 1 << 20);
            return XxHash3.HashToUInt64(new ReadOnlySpan<byte>(TensorMemory.Address(packed), (int)bytes));
        }
    }
}

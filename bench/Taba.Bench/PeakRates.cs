using Taba.Diffusion.Models.Layers;
using Taba.Diffusion.Native;
using static TorchSharp.torch;

namespace Taba.Bench;

/// <summary>
/// What this processor computes at best, on libtorch's threads as the networks have them: large layers alone. The best of them in a
/// round is the peak of which the networks reach a share.
/// </summary>
sealed class PeakRates : IDisposable
{
    const double Seconds = 0.5;

    const long Channels = 256, Side = 16, Batch = 16, Kernel = 3;
    const long Inner = 1152, Outer = 4608, Rows = 4096;

    readonly List<IDisposable> _kept = [];

    public PeakRates(ScalarType dtype)
    {
        using var scope = NewDisposeScope();
        var packs = OneDnn.IsAvailable && OneDnn.Packs(dtype);
        var kernel = Keep(randn([Channels, Channels, Kernel, Kernel], dtype: dtype));
        var picture = Keep(MemoryLayout.ChannelsLast(randn([Batch, Channels, Side, Side], dtype: dtype)));
        var convolution = packs ? Convolution.Pack(kernel, null, 1, null, _kept.Add) : new Convolution(kernel, null);
        var weight = Keep(randn([Outer, Inner], dtype: dtype));
        var rows = Keep(randn([Rows, Inner], dtype: dtype));
        var linear = packs ? Linear.Pack(weight, null, _kept.Add) : new Linear(weight, null);
        var form = packs ? "packed" : "plain";
        const double Product = 2.0 * Rows * Inner * Outer;
        Probes =
        [
            Probe(
                $"convolution {Kernel}x{Kernel}, {Channels} to {Channels} channels, {Side}x{Side}, batch {Batch}, {form}, {dtype}",
                2.0 * Batch * Side * Side * Channels * Channels * Kernel * Kernel, () => convolution.Forward(picture)),
            Probe($"linear layer, {Rows} rows of {Inner} to {Outer}, {form}, {dtype}", Product, () => linear.Forward(rows)),
            Probe($"libtorch's product of the same, {dtype}", Product, () => nn.functional.linear(rows, weight)),
        ];
    }

    /// <summary>To be measured in the rounds of the networks.</summary>
    public IReadOnlyList<Contender> Probes { get; }

    public void Dispose() => _kept.ForEach(kept => kept.Dispose());

    static Contender Probe(string name, double operations, Action pass) => new(name, operations, Seconds, Contender.InScope(pass));

    Tensor Keep(Tensor tensor)
    {
        _kept.Add(tensor.DetachFromDisposeScope());
        return tensor;
    }
}

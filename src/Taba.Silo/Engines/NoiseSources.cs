using System.Collections.Concurrent;
using Taba.Diffusion;
using Taba.Diffusion.Randomness;
using Taba.Grains.Stages;

namespace Taba.Silo.Engines;

/// <summary>Opened noise by address. Kept open because upstream's layout remembers generator states at part borders.</summary>
sealed class NoiseSources : IDisposable
{
    readonly ConcurrentDictionary<NoiseAddress, Lazy<INoiseSource>> _sources = new();

    /// <summary>Draws rows of an address as float32.</summary>
    public void Rows(NoiseRows noise, NoiseStream stream, ModelIdentity model, RowRange rows, Span<byte> destination)
    {
        var address = Address(noise, stream, model);
        if (address.Dtype == TorchSharp.torch.ScalarType.Float32)
        {
            RawRows(noise, stream, model, rows, destination);
            return;
        }
        var drawn = new byte[checked(rows.Count * Open(address).RowBytes)];
        RawRows(noise, stream, model, rows, drawn);
        FloatRows.ToFloat32(drawn, address.Dtype, destination);
    }

    /// <summary>Draws rows of an address in its own dtype.</summary>
    public void RawRows(NoiseRows noise, NoiseStream stream, ModelIdentity model, RowRange rows, Span<byte> destination) =>
        Open(Address(noise, stream, model)).Rows(rows.Start, rows.Count, destination);

    /// <summary>The address of a stage's noise.</summary>
    public static NoiseAddress Address(NoiseRows noise, NoiseStream stream, ModelIdentity model) => new(
        noise.Layout == Grains.Sweeps.NoiseLayout.Upstream ? NoiseLayout.Upstream : NoiseLayout.PerSample,
        noise.Seed, Precisions.ScalarType(noise.Dtype), stream, new StateShape(model.Channels, model.Height, model.Width), noise.TotalRows);

    INoiseSource Open(NoiseAddress address) => _sources.GetOrAdd(address, a => new(a.Open)).Value;

    public void Dispose()
    {
        foreach (var source in _sources.Values.Where(s => s.IsValueCreated))
            source.Value.Dispose();
    }
}

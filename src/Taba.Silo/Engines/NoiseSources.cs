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
        var source = _sources.GetOrAdd(address, a => new(a.Open)).Value;
        if (address.Dtype == TorchSharp.torch.ScalarType.Float32)
        {
            source.Rows(rows.Start, rows.Count, destination);
            return;
        }
        var drawn = new byte[checked(rows.Count * source.RowBytes)];
        source.Rows(rows.Start, rows.Count, drawn);
        FloatRows.ToFloat32(drawn, address.Dtype, destination);
    }

    /// <summary>The address of a stage's noise.</summary>
    public static NoiseAddress Address(NoiseRows noise, NoiseStream stream, ModelIdentity model) => new(
        noise.Layout == Grains.Sweeps.NoiseLayout.Upstream ? NoiseLayout.Upstream : NoiseLayout.PerSample,
        noise.Seed, Precisions.ScalarType(noise.Dtype), stream, new StateShape(model.Channels, model.Height, model.Width), noise.TotalRows);

    public void Dispose()
    {
        foreach (var source in _sources.Values.Where(s => s.IsValueCreated))
            source.Value.Dispose();
    }
}

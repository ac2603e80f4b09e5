using Taba.Diffusion;
using Taba.Diffusion.Randomness;
using Taba.Grains.Stages;

namespace Taba.Silo.Engines;

/// <summary>
/// Opened noise by address. Kept open because upstream's layout remembers generator states at part borders, megabytes of them for a large
/// stage; a silo lives long and sees many addresses, so only the last ones stay open. One that is opened anew draws the same.
/// </summary>
sealed class NoiseSources : IDisposable
{
    /// <summary>More than the stages that one silo computes at a time.</summary>
    internal const int MostOpen = 16;

    readonly BoundedCache<NoiseAddress, INoiseSource> _sources = new(MostOpen);

    /// <summary>Addresses that are open.</summary>
    internal int Open => _sources.Count;

    /// <summary>Draws rows of an address as float32.</summary>
    public void Rows(NoiseRows noise, NoiseStream stream, ModelIdentity model, RowRange rows, Span<byte> destination)
    {
        var address = Address(noise, stream, model);
        using var source = Take(address);
        if (address.Dtype == TorchSharp.torch.ScalarType.Float32)
        {
            source.Value.Rows(rows.Start, rows.Count, destination);
            return;
        }
        var drawn = new byte[checked(rows.Count * source.Value.RowBytes)];
        source.Value.Rows(rows.Start, rows.Count, drawn);
        FloatRows.ToFloat32(drawn, address.Dtype, destination);
    }

    /// <summary>Draws rows of an address in its own dtype.</summary>
    public void RawRows(NoiseRows noise, NoiseStream stream, ModelIdentity model, RowRange rows, Span<byte> destination)
    {
        using var source = Take(Address(noise, stream, model));
        source.Value.Rows(rows.Start, rows.Count, destination);
    }

    /// <summary>The address of a stage's noise.</summary>
    public static NoiseAddress Address(NoiseRows noise, NoiseStream stream, ModelIdentity model) => new(
        noise.Layout == Grains.Sweeps.NoiseLayout.Upstream ? NoiseLayout.Upstream : NoiseLayout.PerSample,
        noise.Seed, Precisions.ScalarType(noise.Dtype), stream, new StateShape(model.Channels, model.Height, model.Width), noise.TotalRows);

    public void Dispose() => _sources.Dispose();

    BoundedCache<NoiseAddress, INoiseSource>.Use Take(NoiseAddress address) => _sources.Take(address, address.Open);
}

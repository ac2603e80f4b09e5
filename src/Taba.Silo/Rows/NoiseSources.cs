using Taba.Diffusion;
using Taba.Diffusion.Randomness;

namespace Taba.Silo.Rows;

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
        using var source = Take(noise.Address(stream, model.Shape));
        if (noise.Dtype == Dtype.Float32)
        {
            source.Value.Rows(rows.Start, rows.Count, destination);
            return;
        }
        var drawn = new byte[checked(rows.Count * source.Value.RowBytes)];
        source.Value.Rows(rows.Start, rows.Count, drawn);
        FloatRows.ToFloat32(drawn, noise.Dtype.ToScalarType(), destination);
    }

    /// <summary>Draws rows of an address in its own dtype.</summary>
    public void RawRows(NoiseRows noise, NoiseStream stream, ModelIdentity model, RowRange rows, Span<byte> destination)
    {
        using var source = Take(noise.Address(stream, model.Shape));
        source.Value.Rows(rows.Start, rows.Count, destination);
    }

    public void Dispose() => _sources.Dispose();

    BoundedCache<NoiseAddress, INoiseSource>.Use Take(NoiseAddress address) => _sources.Take(address, address.Open);
}

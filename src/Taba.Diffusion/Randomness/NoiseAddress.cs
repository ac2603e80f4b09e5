using System.Globalization;
using static TorchSharp.torch;

namespace Taba.Diffusion.Randomness;

/// <summary>The address of noise: everything that its numbers depend on. There is no other source of randomness.</summary>
/// <param name="Layout">How the address becomes numbers.</param>
/// <param name="Seed">The seed; the layouts say what they accept.</param>
/// <param name="Dtype">The type drawn in.</param>
/// <param name="Stream">The use; of no effect in the upstream layout.</param>
/// <param name="Shape">C,H,W of a row.</param>
/// <param name="TotalRows">N. Numbers depend on it only in the upstream layout, and only when N·C·H·W is below 16 or not a multiple of 16.</param>
public sealed record NoiseAddress(NoiseLayout Layout, long Seed, ScalarType Dtype, NoiseStream Stream, StateShape Shape, long? TotalRows = null)
{
    /// <summary>True when another N would give other numbers, so that N belongs to the address.</summary>
    /// <exception cref="InvalidOperationException">That depends on N, and N is not given.</exception>
    public bool DependsOnTotal
    {
        get
        {
            if (Layout == NoiseLayout.PerSample || UpstreamNoise.RowsDependOnTotal(Shape, 1) is false)
                return false;
            return TotalRows is { } total
                ? UpstreamNoise.RowsDependOnTotal(Shape, total)
                : throw new InvalidOperationException($"Upstream noise of rows {Shape} needs the number of rows.");
        }
    }

    /// <summary>The address as text, equal for addresses that give equal numbers; part of stage keys.</summary>
    public string Canonical
    {
        get
        {
            var shape = Shape.ToString();
            var dtype = NoiseDtype.Name(Dtype);
            if (Layout == NoiseLayout.PerSample)
                return string.Create(CultureInfo.InvariantCulture, $"noise/per-sample;seed={Seed};stream={(int)Stream};dtype={dtype};shape={shape}");

            // The generator sees no more of a seed than this.
            var seed = unchecked((uint)Seed);
            var total = DependsOnTotal ? string.Create(CultureInfo.InvariantCulture, $";rows={TotalRows}") : "";
            return string.Create(CultureInfo.InvariantCulture, $"noise/upstream;seed={seed};dtype={dtype};shape={shape}{total}");
        }
    }

    /// <summary>Opens the noise; the caller disposes it.</summary>
    /// <exception cref="ArgumentException">The layout does not accept the address.</exception>
    public INoiseSource Open() => Layout switch
    {
        NoiseLayout.Upstream => new UpstreamNoise(Seed, Dtype, Shape, TotalRows),
        NoiseLayout.PerSample => new PerSampleNoise(Seed, Stream, Dtype, Shape),
        _ => throw new ArgumentException($"Unknown noise layout {Layout}; use Upstream or PerSample."),
    };

    /// <inheritdoc/>
    public override string ToString() => Canonical;
}

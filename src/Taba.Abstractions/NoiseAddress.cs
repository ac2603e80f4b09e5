using System.Globalization;

namespace Taba;

/// <summary>The address of noise: everything that its numbers depend on. There is no other source of randomness.</summary>
/// <param name="Layout">How the address becomes numbers.</param>
/// <param name="Seed">The seed; the layouts say what they accept.</param>
/// <param name="Dtype">The type drawn in.</param>
/// <param name="Stream">The use; of no effect in the upstream layout.</param>
/// <param name="Shape">C,H,W of a row.</param>
/// <param name="TotalRows">N. Numbers depend on it only where <see cref="DependsOnTotal"/> says so.</param>
public sealed record NoiseAddress(NoiseLayout Layout, long Seed, Dtype Dtype, NoiseStream Stream, StateShape Shape, long? TotalRows = null)
{
    /// <summary>torch.randn draws in blocks of this many values.</summary>
    public const int Block = 16;

    /// <summary>
    /// True when another N gives other numbers, so that N belongs to the address: torch.randn draws the last 16 values anew when
    /// N·C·H·W is not a multiple of 16, and draws in another way altogether below 16.
    /// </summary>
    /// <exception cref="InvalidOperationException">That depends on N, and N is not given.</exception>
    public bool DependsOnTotal
    {
        get
        {
            if (Layout == NoiseLayout.PerSample || Shape.Elements % Block == 0)
                return false;
            return TotalRows is { } total
                ? checked(total * Shape.Elements) % Block != 0
                : throw new InvalidOperationException(
                    $"Upstream noise of rows {Shape} needs the number of rows: a row is not a multiple of {Block} elements.");
        }
    }

    /// <summary>
    /// The address as stage keys have it: different numbers of one stream and shape have different texts. Stream and shape are left out,
    /// because the key says the shape in a field of its own, and the name of the field that holds this text is the stream.
    /// </summary>
    public string Canonical
    {
        get
        {
            var layout = Layout == NoiseLayout.PerSample ? "per-sample" : "upstream";
            var total = DependsOnTotal ? string.Create(CultureInfo.InvariantCulture, $" of {TotalRows}") : "";
            return string.Create(CultureInfo.InvariantCulture, $"{layout} noise seed {Seed} {Dtype.Name()}{total}");
        }
    }

    /// <inheritdoc/>
    public override string ToString() => Canonical;
}

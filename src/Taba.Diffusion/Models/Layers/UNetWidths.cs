using System.Collections.Immutable;

namespace Taba.Diffusion.Models.Layers;

/// <summary>The widths of one block of a diffusers UNet.</summary>
/// <param name="Level">0 is the shallowest.</param>
/// <param name="Width">Of its results.</param>
/// <param name="Inputs">Of each residual block's input, in the order of evaluation.</param>
/// <param name="Resamples">Whether the resolution changes at its end.</param>
readonly record struct BlockWidths(int Level, int Width, ImmutableArray<int> Inputs, bool Resamples);

/// <summary>
/// Which widths meet where in the UNets of diffusers: every layer on the way down leaves a skip, every one on the way up takes one.
/// </summary>
static class UNetWidths
{
    /// <summary>The blocks on the way down, shallowest first.</summary>
    /// <param name="widths">block_out_channels.</param>
    /// <param name="layers">layers_per_block.</param>
    public static IEnumerable<BlockWidths> Down(ImmutableArray<int> widths, int layers)
    {
        for (var level = 0; level < widths.Length; level++)
        {
            var (width, before) = (widths[level], widths[Math.Max(level - 1, 0)]);
            yield return new(level, width, [before, .. Enumerable.Repeat(width, layers - 1)], level < widths.Length - 1);
        }
    }

    /// <summary>The blocks on the way up, deepest first; each has one layer more.</summary>
    public static IEnumerable<BlockWidths> Up(ImmutableArray<int> widths, int layers)
    {
        for (var level = widths.Length - 1; level >= 0; level--)
        {
            var (width, deeper, shallower) =
                (widths[level], widths[Math.Min(level + 1, widths.Length - 1)], widths[Math.Max(level - 1, 0)]);

            // The last skip of a level came into it from the shallower one.
            yield return new(
                level, width,
                [.. Enumerable.Range(0, layers + 1).Select(i => (i == 0 ? deeper : width) + (i == layers ? shallower : width))],
                level > 0);
        }
    }
}

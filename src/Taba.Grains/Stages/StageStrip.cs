using System.Collections.Immutable;

namespace Taba.Grains.Stages;

/// <summary>Cuts the rows of a stage into cells and counts in each.</summary>
public static class StageStrip
{
    /// <param name="all">From the first wanted row to the last.</param>
    /// <param name="bins">Cells that are asked for; of them <see cref="StageParts.MostBins"/>, and one a row, at most are made.</param>
    /// <param name="wanted">The sets that are counted; the other three are parts of it and have nothing in common.</param>
    public static ImmutableArray<StripBin> Of(RowRange all, int bins, RowSet wanted, RowSet done, RowSet running, RowSet failed)
    {
        var count = Math.Min(Math.Clamp(bins, 1, StageParts.MostBins), all.Count);
        var strip = ImmutableArray.CreateBuilder<StripBin>(count);
        for (var i = 0; i < count; i++)
        {
            var cell = new RowRange(Border(i), Border(i + 1));
            strip.Add(new(wanted.CountIn(cell), done.CountIn(cell), running.CountIn(cell), failed.CountIn(cell)));
        }
        return strip.MoveToImmutable();

        int Border(int i) => all.Start + (int)((long)all.Count * i / count);
    }
}

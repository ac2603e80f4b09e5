using System.Collections.Immutable;

namespace Taba.Storage.Manifests;

/// <summary>
/// Two computations of the same rows gave different bytes where they must be equal: one of two machines computes something else, or the
/// computation depends on what it should not. Kept in the cell beside the rows that count.
/// </summary>
/// <param name="RowStart">The first of the rows.</param>
/// <param name="RowEnd">The row after the last.</param>
/// <param name="Names">The tensors that differ.</param>
/// <param name="Published">Who made the bytes that count.</param>
/// <param name="Other">Who made other ones.</param>
/// <param name="FoundAt">When it was found.</param>
public sealed record Disagreement(
    int RowStart, int RowEnd, ImmutableArray<string> Names, Maker Published, Maker Other, DateTimeOffset FoundAt)
{
    /// <summary>The most that a cell keeps: a broken device disagrees with everything.</summary>
    public const int MostInACell = 16;

    public RowRange Rows => new(RowStart, RowEnd);

    /// <summary>A sentence for people.</summary>
    public string Text(string stageKey) =>
        $"rows {Rows} of stage {stageKey} ({string.Join(", ", Names)}) were computed twice with different results: {Published} made those "
        + $"that count, {Other} others. One of the two computes something else: look at both machines";
}

/// <summary>Who made bytes.</summary>
/// <param name="Attempt">Its attempt.</param>
/// <param name="Silo">The silo's name; null when it was too old to say, as are the others.</param>
/// <param name="Host">The machine.</param>
/// <param name="Device">The device: cpu, cuda:0.</param>
/// <param name="Build">The build of Taba.</param>
public sealed record Maker(Guid Attempt, string? Silo, string? Host, string Device, string? Build)
{
    public static Maker Of(PartManifest manifest) => new(manifest.Attempt, manifest.Silo, manifest.Host, manifest.Device, manifest.Build);

    public override string ToString() =>
        $"silo {Silo ?? "unknown"} on {Host ?? "an unknown machine"} ({Device}, Taba {Build ?? "unknown"}, attempt {Attempt:N})";
}

using System.Collections.Immutable;

namespace Taba.Grains.Sweeps;

/// <summary>By what networks measure the pictures of a run.</summary>
/// <param name="Features">Weights of the networks.</param>
/// <param name="Reference">What its pictures are compared with as a set; null where no set is compared.</param>
/// <param name="Stages">Stages that keep features of pictures; where there is none, whoever writes the run's folder makes them.</param>
[GenerateSerializer, Immutable, Alias("taba.PlannedPictures")]
public sealed record PlannedPictures(
    ImmutableArray<FeatureFile> Features, PictureSet? Reference, ImmutableArray<PlannedFeatures> Stages)
{
    /// <summary>The stage that measures what is no set; null where the folder's writer does.</summary>
    [Id(10)] public string? MeasureKey { get; init; }
}

/// <summary>Pictures that samples are compared with as a set.</summary>
/// <param name="Rows">Pictures as their files have them (of no size), or a tensor; null when there are only statistics.</param>
/// <param name="Path">Where they are.</param>
/// <param name="Digest">Of all their bytes.</param>
/// <param name="Count">How many; 0 of statistics.</param>
/// <param name="Shape">Of a tensor's row.</param>
[GenerateSerializer, Immutable, Alias("taba.PictureSet")]
public sealed record PictureSet(RowsRef? Rows, string Path, string Digest, int Count, StateShape Shape);

/// <summary>A stage that keeps features.</summary>
/// <param name="Network">Of which network.</param>
/// <param name="OfReference">Of the reference's pictures, or of the run's.</param>
/// <param name="Key">The stage.</param>
[GenerateSerializer, Immutable, Alias("taba.PlannedFeatures")]
public sealed record PlannedFeatures(string Network, bool OfReference, string Key);

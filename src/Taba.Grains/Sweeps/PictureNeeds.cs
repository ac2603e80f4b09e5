using System.Collections.Immutable;

namespace Taba.Grains.Sweeps;

/// <summary>What an analysis by networks needs of a sweep.</summary>
/// <param name="Networks">Networks whose weights the sweep names.</param>
[GenerateSerializer, Immutable, Alias("taba.PictureNeeds")]
public sealed record PictureNeeds(ImmutableArray<string> Networks)
{
    /// <summary>Whether it compares sets by the features of all their pictures.</summary>
    [Id(10)] public bool OfSets { get; init; }

    /// <summary>Whether it compares images with their reconstructions.</summary>
    [Id(11)] public bool OfPairs { get; init; }

    /// <summary>Whether it compares images with the prompts that they were made from.</summary>
    [Id(12)] public bool OfPrompts { get; init; }

    /// <summary>Fewer pictures of a reference do not do; 0 when it needs none.</summary>
    [Id(13)] public int LeastReference { get; init; }

    /// <summary>Whether statistics do in place of the reference's pictures.</summary>
    [Id(14)] public bool TakesStatistics { get; init; }

    /// <summary>Fewer samples cannot be measured.</summary>
    [Id(15)] public int LeastRows { get; init; }

    /// <summary>Pictures with fewer pixels along a side cannot be measured.</summary>
    [Id(16)] public int LeastSide { get; init; }
}

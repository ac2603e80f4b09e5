namespace Taba.Diffusion.Metrics.Pictures;

/// <summary>What an analysis of pictures needs.</summary>
/// <param name="Name">How it is asked for.</param>
/// <param name="Networks">Networks whose weights a user names.</param>
public sealed record PictureAnalysis(string Name, IReadOnlyList<FeatureNetwork> Networks)
{
    /// <summary>Whether it compares sets, by the features of all pictures. Others take a picture after the other.</summary>
    public bool IsOfSets { get; init; }

    /// <summary>Whether it compares images with their reconstructions.</summary>
    public bool IsOfPairs { get; init; }

    /// <summary>Whether it compares images with the texts that they were made from.</summary>
    public bool IsOfPrompts { get; init; }

    /// <summary>Fewer pictures of a reference do not do; 0 when it needs none.</summary>
    public int LeastReference { get; init; }

    /// <summary>Whether statistics do in place of the reference's pictures.</summary>
    public bool TakesStatistics { get; init; }

    /// <summary>Fewer samples cannot be measured.</summary>
    public int LeastRows { get; init; } = 1;

    /// <summary>Pictures with fewer pixels along a side cannot be measured.</summary>
    public int LeastSide { get; init; } = 1;
}

using System.Collections.Immutable;

namespace Taba.Grains.Sweeps;

/// <summary>The numbers of a run folder, as whoever wrote it tells them.</summary>
/// <param name="Run">The run's name in the plan (<see cref="PlannedRun.Slug"/>).</param>
/// <param name="Numbers">By name, at most <see cref="MostNumbers"/>; those that are not finite are left out.</param>
[GenerateSerializer, Immutable, Alias("taba.RunNumbers")]
public sealed record RunNumbers(string Run, ImmutableArray<RunNumber> Numbers)
{
    public const int MostNumbers = 64;

    /// <summary>The most runs of a sweep whose numbers are kept.</summary>
    public const int MostRuns = 1000;
}

/// <summary>A number of a run folder.</summary>
/// <param name="Name">At most <see cref="MostCharacters"/>.</param>
[GenerateSerializer, Immutable, Alias("taba.RunNumber")]
public readonly record struct RunNumber(string Name, double Value)
{
    public const int MostCharacters = 100;
}

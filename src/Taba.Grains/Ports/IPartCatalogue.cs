using System.Collections.Immutable;

namespace Taba.Grains.Ports;

/// <summary>The published rows, as the store says. Its cells outrank a stage's own state.</summary>
public interface IPartCatalogue
{
    /// <summary>Published rows of a few cells of a stage, by what was kept with them.</summary>
    /// <param name="rows">Whole cells, and few: the time it takes follows their number.</param>
    Task<ImmutableArray<KeptRows>> GetPublishedAsync(string stageKey, RowRange rows, CancellationToken cancellationToken);

    /// <summary>True when the store holds anything of a stage.</summary>
    Task<bool> HasStageAsync(string stageKey, CancellationToken cancellationToken);

    /// <summary>How far an attempt came, as its checkpoint says.</summary>
    /// <param name="attempt">One that has ended.</param>
    /// <param name="rows">At most a cell's.</param>
    /// <returns>The step with which each of these rows goes on; 0 for one that has no checkpoint there.</returns>
    Task<ImmutableArray<int>> GetReachedAsync(PartAttempt attempt, RowRange rows, CancellationToken cancellationToken);
}

using System.Collections.Immutable;
using Taba.Grains.Stages;

namespace Taba.Grains.Ports;

/// <summary>The published rows, as the store says. Its manifests outrank a stage's own state.</summary>
public interface IPartCatalogue
{
    /// <summary>Published rows of a stage, by what was kept with them.</summary>
    Task<ImmutableArray<KeptRows>> GetPublishedAsync(string stageKey, CancellationToken cancellationToken);
}

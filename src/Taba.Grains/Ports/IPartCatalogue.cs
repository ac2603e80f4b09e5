using System.Collections.Immutable;
using Taba.Grains.Stages;

namespace Taba.Grains.Ports;

/// <summary>What the store says is published. Its manifests outrank a stage's own state.</summary>
public interface IPartCatalogue
{
    /// <summary>Published rows of a stage, by what was kept with them.</summary>
    Task<ImmutableArray<KeptRows>> GetPublishedAsync(string stageKey, CancellationToken cancellationToken);
}

using Orleans;

namespace Taba;

/// <summary>The weights of a network that pictures are measured by.</summary>
/// <param name="Network">Its name, such as inception.</param>
/// <param name="Path">The file or folder; in no key: the same weights elsewhere measure the same.</param>
/// <param name="Digest">Of all files that its numbers depend on.</param>
[GenerateSerializer, Immutable, Alias("taba.FeatureFile")]
public sealed record FeatureFile(string Network, string Path, string Digest);

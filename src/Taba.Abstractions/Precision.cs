using Orleans;

namespace Taba;

/// <summary>The three precisions, resolved.</summary>
/// <param name="Network">What the network computes in.</param>
/// <param name="State">What the integrator keeps the state in.</param>
/// <param name="Noise">What noise is drawn in.</param>
[GenerateSerializer, Immutable, Alias("taba.Precision")]
public sealed record Precision(Dtype Network, Dtype State, Dtype Noise);

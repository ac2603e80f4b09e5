using Orleans;

namespace Taba;

/// <summary>How the layers of a network are computed. Both forms give the same numbers up to rounding.</summary>
[GenerateSerializer, Alias("taba.NetworkForm")]
public enum NetworkForm
{
    /// <summary>
    /// On a processor with packed weights, the channels innermost and own kernels (docs/design/fast-networks.md); elsewhere as
    /// <see cref="Plain"/>.
    /// </summary>
    Fast,

    /// <summary>Operation by operation, as the papers' code has it: the baseline of ratios and of parity.</summary>
    Plain,
}

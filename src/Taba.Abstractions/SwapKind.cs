using System.Text.Json.Serialization;

namespace Taba;

/// <summary>The stand-in for the network's prediction in a step. The network is not called.</summary>
public enum SwapKind
{
    /// <summary>The given tensor is eps; x̂0 is computed from it without clipping.</summary>
    [JsonStringEnumMemberName("SwapEps")]
    Eps,

    /// <summary>The given tensor is the state after the step.</summary>
    [JsonStringEnumMemberName("SwapXt")]
    Xt,
}

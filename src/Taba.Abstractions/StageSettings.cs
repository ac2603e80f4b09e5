using Orleans;

namespace Taba;

/// <summary>The first <paramref name="Before"/> predictions (or states) are those of <paramref name="Source"/>.</summary>
/// <param name="Kind">Predictions or states.</param>
/// <param name="Before">K.</param>
/// <param name="Source">The sampling stage, or a [T,N,C,H,W] file.</param>
/// <param name="Noise">The noise that sampling began with: what swap xt needs when K = T; null when unknown.</param>
[GenerateSerializer, Immutable, Alias("taba.SwapSetting")]
public sealed record SwapSetting(SwapKind Kind, int Before, RowsRef Source, RowsRef? Noise);

/// <summary>The first <paramref name="Before"/> inversion steps are replaced by forward diffusion with this noise.</summary>
/// <param name="Consistent">To the level that the next step expects, in families where upstream's is another.</param>
[GenerateSerializer, Immutable, Alias("taba.ForwardSetting")]
public sealed record ForwardSetting(int Before, NoiseRows Noise, bool Consistent = false);

/// <summary>The batch shape and kind of device to which a deterministic stage is bound.</summary>
[GenerateSerializer, Immutable, Alias("taba.DeterminismSetting")]
public sealed record DeterminismSetting(int BatchRows, string DeviceKind);

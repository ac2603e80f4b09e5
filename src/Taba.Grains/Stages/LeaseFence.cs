namespace Taba.Grains.Stages;

/// <summary>
/// A key promises numbers: rows are computed under a key only by who derives that very key from what it was told to compute. A message
/// between two versions may lose a field on the way, a lease may be forged, an older version computes something else, and where bits count
/// another kind of device does.
/// </summary>
public static class LeaseFence
{
    /// <summary>Why this process must not compute a lease; null when it may.</summary>
    /// <param name="deviceKind">The kind of its devices.</param>
    public static string? Refusal(PartLease lease, string deviceKind) => Refusal(lease) ?? Refusal(lease.Spec, deviceKind);

    /// <summary>Why devices of a kind must not compute a stage; null when they may.</summary>
    public static string? Refusal(StageSpec spec, string deviceKind) =>
        spec.Determinism is { } determinism && determinism.DeviceKind != deviceKind
            ? $"its devices are {deviceKind}, and the stage's bits are those of {determinism.DeviceKind}"
            : null;

    static string? Refusal(PartLease lease)
    {
        var own = ProgramVersion.Own;
        var (key, version) = (lease.Attempt.StageKey, lease.Version);
        if (version is not null && version.Numerics != own.Numerics)
            return $"it runs {own}, and the part was leased by {version}: rows of one are not rows of the other";
        var derived = StageKey.Of(lease.Spec);
        return derived == key
            ? null
            : $"it runs {own}, which derives the key {derived} from what it was to compute under {key}: it was leased by "
                + (version is null ? "a version that does not say which" : $"{version}");
    }
}

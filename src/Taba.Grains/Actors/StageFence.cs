using Taba.Grains.Silos;
using Taba.Grains.Stages;

namespace Taba.Grains.Actors;

/// <summary>
/// Which silos may compute a stage: those whose numerics version gives its specification its key, on devices of its kind. The
/// coordinator may be of any version, for it computes nothing. Workers check for themselves (<see cref="LeaseFence"/>); this one
/// spares them what they would refuse, and says who cannot.
/// </summary>
/// <param name="key">The stage's key.</param>
sealed class StageFence(string key)
{
    /// <summary>What a stage says that no silo may compute for its version.</summary>
    public const string PlanAgain =
        "no silo has the version of Taba and the kind of device for which it was planned: plan it again for this cluster";

    readonly Dictionary<int, bool> _derived = [];
    StageSpec? _spec;

    /// <summary>What a lease for a silo says of versions; this process's own where the silo is not known yet.</summary>
    public static ProgramVersion VersionFor(SiloInfo? silo) =>
        ProgramVersion.Own with { Numerics = silo?.Version?.Numerics ?? ProgramVersion.Own.Numerics };

    /// <summary>Why a silo may not compute the stage; null when it may, or is not known yet.</summary>
    public string? Refusal(StageSpec spec, SiloInfo? silo)
    {
        if (silo is null)
            return null;
        if (silo.Version is { } version && Derives(spec, version.Numerics))
            return LeaseFence.Refusal(spec, silo.DeviceKind);
        _ = Derives(spec, ProgramVersion.Own.Numerics);
        var runs = silo.Version is null ? "it does not say which version of Taba it runs" : $"it runs {silo.Version}";
        return _derived.Where(d => d.Value).Select(d => (int?)d.Key).FirstOrDefault() is { } numerics
            ? $"{runs}, and the stage is of numerics {numerics}: rows of one are not rows of the other"
            : $"{runs}, and the stage's key follows from its specification neither there nor at its coordinator, {ProgramVersion.Own}: "
                + "another version planned it";
    }

    /// <summary>True when none of these silos may compute the stage, and there are some that could otherwise.</summary>
    public bool RefusesAll(StageSpec spec, IEnumerable<SiloInfo> silos) =>
        Able(spec, silos).ToList() is { Count: > 0 } able && able.All(s => Refusal(spec, s) is not null);

    /// <summary>True when nobody else of these silos could compute the stage.</summary>
    public bool IsAlone(StageSpec spec, string worker, IEnumerable<SiloInfo> silos) =>
        Able(spec, silos).All(s => s.Worker == worker || Refusal(spec, s) is not null);

    static IEnumerable<SiloInfo> Able(StageSpec spec, IEnumerable<SiloInfo> silos) =>
        silos.Where(s => !spec.HasSteps || s.Role == SiloRole.Worker);

    bool Derives(StageSpec spec, int numerics)
    {
        if (!ReferenceEquals(_spec, spec))
        {
            _derived.Clear();
            _spec = spec;
        }
        return _derived.TryGetValue(numerics, out var derived) ? derived : _derived[numerics] = StageKey.Of(spec, numerics) == key;
    }
}

using System.Collections.Immutable;
using Taba.Grains.Faults;
using Taba.Grains.Ports;
using Taba.Grains.Silos;
using Taba.Grains.Stages;

namespace Taba.Grains.Actors;

/// <summary>
/// What a stage knows of the hosts that work on it: who failed and waits, who refuses, whose attempts ended and how far they had come. The
/// rules are in <see cref="Blame"/> and <see cref="HostCircuits"/>. In the grain's turns only.
/// </summary>
/// <param name="told">Told of each host that failed, and why.</param>
sealed class StageHosts(
    IPartCatalogue catalogue, ISiloDirectory silos, TimeProvider time, LeaseOptions options, Action<string, string> told)
{
    readonly HostCircuits _circuits = new(time, options.LongestPause);

    // As the last question found it.
    bool _othersLive = true;

    /// <summary>Hosts that wait, or are tried after having failed.</summary>
    public ImmutableArray<HostPause> Pauses => _circuits.Pauses;

    /// <summary>The host cannot serve the stage's model.</summary>
    public void Refuses(string host, string worker, string reason) => _circuits.Refuses(host, worker, reason);

    /// <summary>Somebody says that what failed is mended.</summary>
    public void TryAll() => _circuits.TryAll();

    /// <summary>The request as it may be answered; null while the host has to wait.</summary>
    /// <param name="holdsAny">Whether a worker has a part of this stage.</param>
    public LeaseRequest? Admit(string worker, LeaseRequest request, Func<string, bool> holdsAny)
    {
        var host = HostName.Of(worker, request.Host);
        if (!_circuits.MayTake(host))
            return null;
        if (!_circuits.IsOnTrial(host))
            return request;
        // One part shows whether it works.
        return holdsAny(worker) ? null : request with { Rows = 1 };
    }

    /// <summary>Who asks, and who else there is: that matters where suspect rows are tried on one host after the other.</summary>
    public async Task<HandoutAsker> AskerAsync(string worker, LeaseRequest request, StageState state)
    {
        var host = HostName.Of(worker, request.Host);
        if (state.Lost.All(l => !l.Strike))
            return new(worker, host, [], FailedLately: false);
        var others = Eligible(state, await silos.GetAsync()).Where(s => s.Worker != worker)
            .Select(s => request.Host is null ? HostName.Of(s.Worker) : s.Name).Where(h => h != host && _circuits.CanBeAsked(h)).ToList();
        _othersLive = others.Count > 0;
        return new(worker, host, others, _circuits.FailedLately(host, options.Duration))
        {
            Better = [.. others.Where(h => !_circuits.FailedLately(h, options.Duration))],
        };
    }

    /// <summary>Rows that are tried on a host that has nothing else.</summary>
    public RowSet Suspects(StageState state) => Blame.Suspects(state.Lost, options.StrikesBeforeSplit, _othersLive);

    /// <summary>Looks how far the attempts came that ended with their hosts or engines, before their rows are handed out again.</summary>
    public async Task<StageState> JudgeAsync(StageState state)
    {
        if (state.Lost.All(l => !l.Unjudged))
            return state;
        (state, var strikes) = await LostAttempts.JudgeAsync(state, catalogue);
        // A command that dies is started by somebody, who waits enough.
        if (options.LongestPause is null)
            return state;
        foreach (var (host, worker) in strikes.Where(l => l.Device is null).Select(l => (l.Host, l.Worker)).Distinct())
            Failed(host, worker, Blame.IsSuspect(host, state.Lost, state.AtWork) ? "it ends with every part that it is given" : "it died");
        return state;
    }

    /// <summary>A part came back because of something. A device that is lost stops nobody: the host's others take the rows.</summary>
    public void GaveBack(Lease lease, Fault? fault)
    {
        if (fault is { Owner: FaultOwner.Host })
            Failed(lease.Host, lease.Worker, fault.Reason);
    }

    /// <summary>The evaluations of a part, as its worker tells them once a second.</summary>
    public void GotOn(Lease lease, long before, long now)
    {
        if (now == 0)
            return;
        _circuits.Serves(lease.Host);
        // They count from their begin: only a second report that is more than the first shows that any ended.
        if (before > 0 && now > before)
            _circuits.Worked(lease.Host);
    }

    /// <summary>A host published rows.</summary>
    public StageState Published(StageState state, Lease lease)
    {
        _circuits.Worked(lease.Host);
        return state with { AtWork = state.AtWork.With(lease.Host, lease.Attempt.Epoch) };
    }

    /// <summary>Adds who stands in whose way, while there is anything to do.</summary>
    public async ValueTask<StageStatus> AddToAsync(StageStatus status, StageState state)
    {
        if (_circuits.IsEmpty || !state.HasOpenDemand() || state.Spec is not { } spec)
            return status;
        var there = await silos.GetAsync();
        var standstill = status.PartsLeased == 0
            ? _circuits.Standstill(Eligible(state, there), spec.Model.Name ?? spec.Model.Path)
            : null;
        return status with
        {
            Refusals = [.. _circuits.RefusalsOf(there).Select(r => new ModelRefusal(r.Silo, r.Reason))],
            Pauses = _circuits.PausesOf(there),
            Fault = standstill?.Reason,
            FaultOwner = standstill?.Owner,
        };
    }

    void Failed(string host, string worker, string reason)
    {
        _circuits.Failed(host, worker, reason);
        told(host, reason);
    }

    /// <summary>Silos that could take rows of the stage.</summary>
    static IEnumerable<SiloInfo> Eligible(StageState state, ImmutableArray<SiloInfo> there) =>
        there.Where(s => state.Spec is not { HasSteps: true } || s.Role == SiloRole.Worker);
}

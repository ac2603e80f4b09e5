using System.Collections.Concurrent;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Taba.Grains.Parts;
using Taba.Grains.Ports;
using Taba.Grains.Stages;
using Taba.Grains.Sweeps;
using Taba.Silo.Engines;
using Taba.Silo.Faults;
using Taba.Silo.Models;

namespace Taba.Silo.Workers;

/// <summary>
/// Pulls parts while this silo has room for them, renews their leases, and stops those it has lost (docs/design/grains.md). Nobody
/// needs to know how busy the device is: a worker that has no room does not ask.
/// </summary>
sealed partial class PartWorker(
    IGrainFactory grains,
    ILocalSiloDetails silo,
    IClusterMembershipService membership,
    IEngineCapacity engines,
    IPartWorkspace workspace,
    ModelPauses pauses,
    WorkerRole role,
    WorkSignal signal,
    FaultMonitor faults,
    TimeProvider time,
    IOptions<LeaseOptions> leases,
    IOptions<WorkerSettings> settings,
    ILogger<PartWorker> logger) : BackgroundService
{
    const int FaultAfterFailures = 10;
    const int MostAutoencoderParts = 2;
    const int StartAttempts = 10;
    static readonly TimeSpan s_checkAfter = TimeSpan.FromSeconds(5);
    static readonly TimeSpan s_startPause = TimeSpan.FromMilliseconds(100);
    static readonly TimeSpan s_lookEvery = TimeSpan.FromMilliseconds(500);
    static readonly TimeSpan s_stoppedAfter = TimeSpan.FromSeconds(5);

    static readonly TimeSpan s_callLimit = TimeSpan.FromSeconds(20);

    readonly ConcurrentDictionary<PartAttempt, HeldPart> _held = new();
    readonly Dictionary<string, Task> _renewals = [];
    readonly WorkOrder _order = new(time, settings.Value.SwitchAfter);
    volatile bool _draining;
    int? _freshRow;

    string Self => silo.SiloAddress.ToParsableString();

    /// <summary>Whether it takes no more parts.</summary>
    public bool IsDraining => _draining;

    /// <summary>Takes no more parts.</summary>
    public void Drain() => _draining = true;

    /// <summary>Takes parts, as it does from the start unless told otherwise.</summary>
    public void Resume()
    {
        _draining = false;
        signal.WorkMayBeAvailable();
    }

    /// <summary>Takes no more parts and gives those back that do not end in time: another silo goes on with them at once.</summary>
    public async Task GiveBackAsync()
    {
        _draining = true;
        await Task.WhenAll(_held.Keys.Select(async attempt =>
        {
            try
            {
                await grains.GetGrain<IPartGrain>(attempt.PartKey).StopAsync(attempt).WaitAsync(s_callLimit, time);
                await grains.GetGrain<IStageGrain>(StageAddress.GrainKey(attempt.StageKey)).GiveBackAsync(attempt, null).WaitAsync(
                    s_callLimit, time);
            }
            catch (Exception exception)
            {
                // Its lease ends with this silo.
                LogGiveBackFailed(logger, attempt, exception.Message);
            }
        }));
        _held.Clear();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await MemberAsync(stoppingToken);
        // Apart: a call to a grain whose silo has died waits for seconds, and leases must be renewed meanwhile.
        await Task.WhenAll(RenewLoopAsync(stoppingToken), LeaseLoopAsync(stoppingToken));
    }

    async Task LeaseLoopAsync(CancellationToken stoppingToken)
    {
        var failures = 0;
        var lookedAt = time.GetTimestamp();
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                // A process that was stopped and goes on may have been declared dead. Its own coordinators would still give it parts that
                // others have by now. The membership table knows, and Orleans ends a silo that reads there of its own death.
                if (time.GetElapsedTime(lookedAt) > s_stoppedAfter)
                    await membership.Refresh(default, stoppingToken);
                lookedAt = time.GetTimestamp();
                while (!_draining && engines.CanWork && (HasSlots || HasAutoencoderRoom) && await LeaseSomeAsync())
                {
                    // One more fitted.
                }
                failures = 0;
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                var store = FaultMonitor.StoreFault(exception);
                if (store is null)
                    LogLookFailed(logger, exception.Message);
                if (++failures >= FaultAfterFailures || store is not null)
                    faults.Report(exception, "looking for work");
            }
            try
            {
                foreach (var ended in await signal.WaitAsync(s_lookEvery, time, stoppingToken))
                {
                    _held.TryRemove(ended.Attempt, out _);
                    if (!ended.Published.IsEmpty)
                        _freshRow = ended.Published.Ranges[0].Start;
                }
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    async Task RenewLoopAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            foreach (var stage in _held.Values.GroupBy(p => p.Lease.Attempt.StageKey).ToList())
            {
                // One at a time for each stage, and none waits for another's.
                if (!_renewals.TryGetValue(stage.Key, out var running) || running.IsCompleted)
                    _renewals[stage.Key] = RenewAsync(stage.Key, [.. stage]);
            }
            foreach (var (stage, renewal) in _renewals.ToList())
            {
                if (renewal.IsCompleted && _held.Keys.All(a => a.StageKey != stage))
                    _renewals.Remove(stage);
            }
            // A coordinator that does not answer may have given the part to another: stop before its lease can have ended.
            foreach (var part in _held.Values.Where(p => time.GetElapsedTime(p.AnsweredAt) > leases.Value.Duration * 2 / 3).ToList())
                StopAsync(part).Ignore();
            try
            {
                await Task.Delay(leases.Value.RenewEvery, time, stoppingToken);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    /// <summary>Waits until this silo is a member: before that, no grain can be placed.</summary>
    async Task MemberAsync(CancellationToken cancellationToken)
    {
        await foreach (var snapshot in membership.MembershipUpdates.WithCancellation(cancellationToken))
        {
            if (snapshot.GetSiloStatus(silo.SiloAddress) == SiloStatus.Active)
                return;
        }
    }

    /// <summary>Rows in flight fill the slots, and one more part waits so that the device never does.</summary>
    int RowRoom => role.HasDevice
        ? engines.Slots + engines.BatchSize - _held.Values.Where(p => p.Lease.Spec.HasSteps).Sum(p => p.Lease.Rows.Count)
        : 0;

    bool HasSlots => RowRoom > 0;

    /// <summary>One part passes through an autoencoder while the next is read.</summary>
    bool HasAutoencoderRoom => _held.Values.Count(p => !p.Lease.Spec.HasSteps) < MostAutoencoderParts;

    async Task<bool> LeaseSomeAsync()
    {
        var live = await grains.GetGrain<ISweepIndexGrain>(0).GetLiveAsync();
        var work = await Task.WhenAll(
            live.Select(async sweep => (sweep, await grains.GetGrain<ISweepGrain>(sweep.SweepId).GetWorkAsync())));
        foreach (var (sweepId, stage) in _order.Of(work, engines.IsLoaded))
        {
            if (stage.HasSteps ? !HasSlots : !HasAutoencoderRoom)
                continue;
            // A stage whose model this silo does not have is asked all the same: so it knows, and whoever looks at the sweep.
            var request = new LeaseRequest(
                stage.HasSteps ? RowRoom : 1, _freshRow)
            { Refusal = stage.Model is { } model ? pauses.Reason(model) : null };
            var taken = await grains.GetGrain<IStageGrain>(StageAddress.GrainKey(stage.Key)).LeaseAsync(Self, request);
            if (taken.IsEmpty)
                continue;
            _order.Took(sweepId, taken.Sum(l => l.Rows.Count));
            foreach (var lease in taken)
                _held[lease.Attempt] = new(lease, time.GetTimestamp());
            // When none could begin the worker does not ask again at once: an older attempt at these rows is still about to stop.
            return (await Task.WhenAll(taken.Select(StartAsync))).Any(began => began);
        }
        return false;
    }

    async Task<bool> StartAsync(PartLease lease)
    {
        try
        {
            for (var ask = 1; ask <= StartAttempts; ask++)
            {
                if (await grains.GetGrain<IPartGrain>(lease.Attempt.PartKey).StartAsync(lease))
                    return true;
                // Another silo still had the grain, or an older attempt is about to stop: the next call finds its place here.
                await Task.Delay(s_startPause, time);
            }
            _held.TryRemove(lease.Attempt, out _);
            await grains.GetGrain<IStageGrain>(StageAddress.GrainKey(lease.Attempt.StageKey)).GiveBackAsync(lease.Attempt, null);
            return false;
        }
        catch
        {
            // A lease that is not renewed comes free. Renewed, it would be held for ever by nobody.
            _held.TryRemove(lease.Attempt, out _);
            throw;
        }
    }

    async Task RenewAsync(string stageKey, IReadOnlyList<HeldPart> parts)
    {
        try
        {
            var kept = await grains.GetGrain<IStageGrain>(StageAddress.GrainKey(stageKey))
                .RenewAsync(Self, [.. parts.Select(p => new PartProgress(p.Lease.Attempt, workspace.Evaluations(p.Lease.Attempt)))])
                .WaitAsync(s_callLimit, time);
            for (var i = 0; i < parts.Count; i++)
            {
                var attempt = parts[i].Lease.Attempt;
                if (kept[i])
                    parts[i].AnsweredAt = time.GetTimestamp();
                if (kept[i])
                {
                    // The grain is gone with what it knew, or its stage did not hear of its end: a lease that nobody works on must
                    // not be renewed.
                    if (time.GetElapsedTime(parts[i].StartedAt) > s_checkAfter
                        && !await HasRunAsync(attempt) && _held.TryRemove(attempt, out _))
                        await grains.GetGrain<IStageGrain>(StageAddress.GrainKey(stageKey)).GiveBackAsync(attempt, null);
                }
                else if (await HasEndedAsync(attempt))
                    _held.TryRemove(attempt, out _);
                else
                    await StopAsync(parts[i]);
            }
        }
        catch (Exception exception)
        {
            LogRenewFailed(logger, stageKey, exception.Message);
        }
    }

    /// <summary>A part that is being published still runs: given back, its rows would be computed twice.</summary>
    async Task<bool> HasRunAsync(PartAttempt attempt) => (await StatusAsync(attempt)).Attempt == attempt;

    /// <summary>A stage forgets a lease when its part is completed, a moment before this worker hears of that.</summary>
    async Task<bool> HasEndedAsync(PartAttempt attempt)
    {
        var part = await StatusAsync(attempt);
        return part.Attempt != attempt || part is { SamplesRunning: 0, SamplesEnded: > 0 };
    }

    ValueTask<PartStatus> StatusAsync(PartAttempt attempt) => grains.GetGrain<IPartGrain>(attempt.PartKey).GetStatusAsync();

    async Task StopAsync(HeldPart part)
    {
        if (!_held.TryRemove(part.Lease.Attempt, out _))
            return;
        LogLost(logger, part.Lease.Attempt);
        await grains.GetGrain<IPartGrain>(part.Lease.Attempt.PartKey).StopAsync(part.Lease.Attempt);
    }

    [LoggerMessage(3101, LogLevel.Warning, "Looking for work failed, and is tried again: {Reason}")]
    static partial void LogLookFailed(ILogger logger, string reason);

    [LoggerMessage(3102, LogLevel.Warning, "Leases of stage {Stage} could not be renewed: {Reason}")]
    static partial void LogRenewFailed(ILogger logger, string stage, string reason);

    [LoggerMessage(3104, LogLevel.Warning, "Part {Attempt} could not be given back: {Reason}")]
    static partial void LogGiveBackFailed(ILogger logger, PartAttempt attempt, string reason);

    [LoggerMessage(3103, LogLevel.Warning, "The lease of {Attempt} is lost; its work stops")]
    static partial void LogLost(ILogger logger, PartAttempt attempt);

    sealed class HeldPart(PartLease lease, long answeredAt)
    {
        public PartLease Lease { get; } = lease;

        public long StartedAt { get; } = answeredAt;

        long _answeredAt = answeredAt;

        public long AnsweredAt
        {
            get => Volatile.Read(ref _answeredAt);
            set => Volatile.Write(ref _answeredAt, value);
        }
    }
}

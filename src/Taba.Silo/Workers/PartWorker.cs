using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Runtime;
using Taba.Grains.Parts;
using Taba.Grains.Ports;
using Taba.Grains.Stages;
using Taba.Grains.Sweeps;
using Taba.Silo.Engines;
using Taba.Silo.Hosting;
using Taba.Silo.Telemetry;

namespace Taba.Silo.Workers;

/// <summary>
/// Pulls parts while this silo has room for them, renews their leases, and stops those it has lost. Nobody needs to know
/// how busy the device is: a worker that has no room does not ask.
/// </summary>
sealed partial class PartWorker(
    IGrainFactory grains,
    ILocalSiloDetails silo,
    IClusterMembershipService membership,
    EngineHost engines,
    IPartWorkspace workspace,
    WorkerRole role,
    WorkSignal signal,
    FaultMonitor faults,
    TimeProvider time,
    IOptions<LeaseOptions> leases,
    ILogger<PartWorker> logger) : BackgroundService
{
    const int FaultAfterFailures = 10;
    const int MostAutoencoderParts = 2;
    static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(500);

    readonly Dictionary<PartAttempt, HeldPart> _held = [];
    volatile bool _draining;
    int? _freshRow;

    string Self => silo.SiloAddress.ToParsableString();

    /// <summary>Takes no more parts.</summary>
    public void Drain() => _draining = true;

    /// <summary>Takes parts, as it does from the start unless told otherwise.</summary>
    public void Resume()
    {
        _draining = false;
        signal.WorkMayBeAvailable();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await MemberAsync(stoppingToken);
        var failures = 0;
        var renewed = time.GetTimestamp();
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                if (time.GetElapsedTime(renewed) >= leases.Value.RenewEvery)
                {
                    renewed = time.GetTimestamp();
                    await RenewAsync();
                }
                while (!_draining && engines.CanWork && (HasSlots || HasAutoencoderRoom) && await LeaseOneAsync())
                {
                    // One more fitted.
                }
                failures = 0;
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                var store = FaultMonitor.StoreFault(exception);
                if (store is null)
                    LogLookFailed(logger, exception);
                if (++failures >= FaultAfterFailures || store is not null)
                    faults.Report(exception, "looking for work");
            }
            try
            {
                foreach (var ended in await signal.WaitAsync(LookEvery, time, stoppingToken))
                {
                    _held.Remove(ended.Attempt);
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
    bool HasSlots => role.HasDevice && _held.Values.Where(p => p.Lease.Spec.HasSteps).Sum(p => p.Lease.Rows.Count) < engines.Slots + engines.BatchSize;

    /// <summary>One part passes through an autoencoder while the next is read.</summary>
    bool HasAutoencoderRoom => _held.Values.Count(p => !p.Lease.Spec.HasSteps) < MostAutoencoderParts;

    async Task<bool> LeaseOneAsync()
    {
        foreach (var sweep in await grains.GetGrain<ISweepIndexGrain>(0).GetLiveAsync())
        {
            foreach (var stage in await grains.GetGrain<ISweepGrain>(sweep.SweepId).GetWorkAsync())
            {
                if (stage.HasSteps ? !HasSlots : !HasAutoencoderRoom)
                    continue;
                var lease = await grains.GetGrain<IStageGrain>(StageAddress.GrainKey(stage.Key)).LeaseAsync(Self, _freshRow);
                if (lease is null)
                    continue;
                SiloInstruments.PartsLeased.Add(1);
                _held[lease.Attempt] = new(lease, time.GetTimestamp());
                try
                {
                    await grains.GetGrain<IPartGrain>(lease.Attempt.PartKey).StartAsync(lease);
                }
                catch
                {
                    // Not renewed, it comes free; renewed, it would be held for ever by nobody.
                    _held.Remove(lease.Attempt);
                    throw;
                }
                return true;
            }
        }
        return false;
    }

    async Task RenewAsync()
    {
        foreach (var stage in _held.Values.GroupBy(p => p.Lease.Attempt.StageKey).ToList())
        {
            var parts = stage.ToList();
            try
            {
                var kept = await grains.GetGrain<IStageGrain>(StageAddress.GrainKey(stage.Key))
                    .RenewAsync(Self, [.. parts.Select(p => new PartProgress(p.Lease.Attempt, workspace.Evaluations(p.Lease.Attempt)))]);
                for (var i = 0; i < parts.Count; i++)
                {
                    if (kept[i])
                        parts[i].AnsweredAt = time.GetTimestamp();
                    else if (await HasEndedAsync(parts[i].Lease.Attempt))
                        _held.Remove(parts[i].Lease.Attempt);
                    else
                        await StopAsync(parts[i]);
                }
            }
            catch (Exception exception)
            {
                LogRenewFailed(logger, stage.Key, exception);
                // A coordinator that does not answer may have given the part to another: stop before its lease can have ended.
                foreach (var part in parts.Where(p => time.GetElapsedTime(p.AnsweredAt) > leases.Value.Duration * 2 / 3))
                    await StopAsync(part);
            }
        }
    }

    /// <summary>A stage forgets a lease when its part is completed, a moment before this worker hears of that.</summary>
    async Task<bool> HasEndedAsync(PartAttempt attempt)
    {
        var part = await grains.GetGrain<IPartGrain>(attempt.PartKey).GetStatusAsync();
        return part.Attempt != attempt || part is { SamplesRunning: 0, SamplesEnded: > 0 };
    }

    async Task StopAsync(HeldPart part)
    {
        LogLost(logger, part.Lease.Attempt);
        SiloInstruments.PartsLost.Add(1);
        _held.Remove(part.Lease.Attempt);
        await grains.GetGrain<IPartGrain>(part.Lease.Attempt.PartKey).StopAsync(part.Lease.Attempt);
    }

    [LoggerMessage(3101, LogLevel.Error, "Looking for work failed")]
    static partial void LogLookFailed(ILogger logger, Exception exception);

    [LoggerMessage(3102, LogLevel.Warning, "Leases of stage {Stage} could not be renewed")]
    static partial void LogRenewFailed(ILogger logger, string stage, Exception exception);

    [LoggerMessage(3103, LogLevel.Warning, "The lease of {Attempt} is lost; its work stops")]
    static partial void LogLost(ILogger logger, PartAttempt attempt);

    sealed class HeldPart(PartLease lease, long answeredAt)
    {
        public PartLease Lease { get; } = lease;

        public long AnsweredAt { get; set; } = answeredAt;
    }
}

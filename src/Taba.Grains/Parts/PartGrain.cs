using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Orleans.Concurrency;
using Orleans.Placement;
using Taba.Grains.Ports;
using Taba.Grains.Stages;
using Taba.Grains.Sweeps;
using Taba.Grains.Trajectories;

namespace Taba.Grains.Parts;

/// <summary>
/// Starts a trajectory for each row of a leased part, collects their ends, and has the part published. It lives on the silo of
/// the worker that leased the part, because that silo's workspace holds the rows.
/// </summary>
[PreferLocalPlacement]
sealed partial class PartGrain(
    IPartWorkspace workspace, IEngineHost engines, IWorkSignal signal, ILogger<PartGrain> logger) : Grain, IPartGrain
{
    readonly HashSet<int> _running = [];
    readonly List<SampleFailure> _failures = [];
    CancellationTokenSource _stop = new();
    PartLease? _lease;
    int _ended;

    public async Task StartAsync(PartLease lease)
    {
        if (_lease is { } current)
        {
            if (current.Attempt.Epoch >= lease.Attempt.Epoch)
                return;
            await StopAsync(current.Attempt);
        }
        _lease = lease;
        _running.Clear();
        _failures.Clear();
        _ended = 0;
        _stop = new();
        // The part outlives this call: preparing reads files and may load a model.
        DelayDeactivation(TimeSpan.FromDays(1));
        PrepareAndRunAsync(lease, _stop.Token).Ignore();
    }

    public Task SampleEndedAsync(PartAttempt attempt, int sample, SampleFailure? failure)
    {
        if (_lease is not { } lease || lease.Attempt != attempt || !_running.Remove(sample))
            return Task.CompletedTask;
        _ended++;
        if (failure is not null)
            _failures.Add(failure);
        if (_running.Count == 0)
            PublishAsync(lease, _stop.Token).Ignore();
        return Task.CompletedTask;
    }

    public async Task StopAsync(PartAttempt attempt)
    {
        if (_lease is not { } lease || lease.Attempt != attempt)
            return;
        _lease = null;
        await _stop.CancelAsync();
        await Task.WhenAll(_running.Select(sample => Trajectory(lease, sample).StopAsync(attempt)));
        _running.Clear();
        workspace.Discard(attempt);
        DeactivateOnIdle();
    }

    public ValueTask<PartStatus> GetStatusAsync() => new(new PartStatus(_lease?.Attempt, _running.Count, _ended));

    async Task PrepareAndRunAsync(PartLease lease, CancellationToken cancellationToken)
    {
        try
        {
            var starts = await workspace.PrepareAsync(lease, cancellationToken);
            if (_lease != lease)
                return;
            foreach (var start in starts)
                _running.Add(start.Sample);
            if (starts.IsEmpty)
            {
                await PublishAsync(lease, cancellationToken);
                return;
            }
            var engineKey = engines.EngineKey(lease.Spec);
            await Task.WhenAll(starts.Select(start => Trajectory(lease, start.Sample).StartAsync(new TrajectoryOrder(
                lease.Attempt, start.Sample, engineKey, start.Step, lease.Spec.NumInferenceSteps, engines.SegmentSteps))));
        }
        catch (Exception exception)
        {
            await GiveBackAsync(lease, exception);
        }
    }

    async Task PublishAsync(PartLease lease, CancellationToken cancellationToken)
    {
        try
        {
            var failures = _failures.ToImmutableArray();
            var published = await workspace.PublishAsync(lease.Attempt, failures, cancellationToken);
            if (_lease != lease)
                return;
            await Stage(lease).CompleteAsync(lease.Attempt, published, lease.Keep, failures);
            _lease = null;
            signal.PartEnded(lease.Attempt, published);
            DeactivateOnIdle();
        }
        catch (Exception exception)
        {
            await GiveBackAsync(lease, exception);
        }
    }

    async Task GiveBackAsync(PartLease lease, Exception exception)
    {
        if (_lease != lease)
            return;
        LogPartFailed(logger, lease.Attempt, exception);
        await StopAsync(lease.Attempt);
        await Stage(lease).GiveBackAsync(lease.Attempt, exception is OperationCanceledException ? null : exception.Message);
        signal.PartEnded(lease.Attempt, RowSet.Empty);
    }

    IStageGrain Stage(PartLease lease) => GrainFactory.GetGrain<IStageGrain>(StageAddress.GrainKey(lease.Attempt.StageKey));

    ITrajectoryGrain Trajectory(PartLease lease, int sample) =>
        GrainFactory.GetGrain<ITrajectoryGrain>(TrajectoryOrder.Key(lease.Attempt.StageKey, sample));

    [LoggerMessage(3001, LogLevel.Error, "Part {Attempt} was given back")]
    static partial void LogPartFailed(ILogger logger, PartAttempt attempt, Exception exception);
}

using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Orleans.GrainDirectory;
using Orleans.Placement;
using Taba.Grains.Faults;
using Taba.Grains.Parts;
using Taba.Grains.Placement;
using Taba.Grains.Ports;
using Taba.Grains.Stages;
using Taba.Grains.Trajectories;

namespace Taba.Grains.Actors;

/// <summary>
/// Starts a trajectory for each row of a leased part, collects their ends, and has the part published. It lives on the silo of
/// the worker that leased the part, because that silo's workspace holds the rows.
/// </summary>
[PreferLocalPlacement, GrainDirectory(SiloGrainDirectory.Name)]
sealed partial class PartGrain(
    IPartWorkspace workspace, IWorkSignal signal, ILocalSiloDetails silo, TimeProvider time, ILogger<PartGrain> logger)
    : Grain, IPartGrain
{
    /// <summary>So often a completion is told. Then the lease has ended, and whoever gets the rows finds them in the store.</summary>
    const int CompletionsTold = 30;

    static readonly TimeSpan s_tellAgainAfter = TimeSpan.FromSeconds(1);

    PartRun? _run;
    PartAttempt _last;

    public async Task<bool> StartAsync(PartLease lease)
    {
        // A database that forgot its last second hands out an epoch twice: the id tells the attempts apart.
        if (lease.Attempt.Epoch <= _last.Epoch)
            return lease.Attempt == _last;
        var older = _run;
        if (lease.Worker is { } worker && worker != silo.SiloAddress.ToParsableString())
        {
            _run = null;
            if (older is not null)
                await AbandonAsync(older);
            DeactivateOnIdle();
            return false;
        }
        _last = lease.Attempt;
        var run = _run = new PartRun(lease);
        // The part outlives this call: preparing reads files and may load a model.
        DelayDeactivation(TimeSpan.FromDays(1));
        if (older is not null)
            await AbandonAsync(older);
        PrepareAndRunAsync(run).Ignore();
        return true;
    }

    public Task SampleEndedAsync(PartAttempt attempt, int sample, SampleFailure? failure)
    {
        if (_run is not { } run || run.Attempt != attempt || !run.Running.Remove(sample))
            return Task.CompletedTask;
        run.Ended++;
        if (failure is not null)
            run.Failures.Add(failure);
        if (run.Running.Count == 0)
            PublishAsync(run).Ignore();
        return Task.CompletedTask;
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        // Only when its silo ends under it: then nobody may wait for it, or keep what it holds.
        if (_run is not { } run)
            return;
        _run = null;
        run.Stop.Cancel();
        if (!run.InWorkspace)
            workspace.Discard(run.Attempt);
        signal.PartEnded(run.Attempt, RowSet.Empty);
    }

    public async Task StopAsync(PartAttempt attempt)
    {
        if (_run is not { } run || run.Attempt != attempt)
            return;
        _run = null;
        await AbandonAsync(run);
        DeactivateOnIdle();
    }

    public Task AbandonAsync(PartAttempt attempt, Fault fault) =>
        _run is { } run && run.Attempt == attempt ? GiveBackAsync(run, new PartAbandonedException(fault)) : Task.CompletedTask;

    public ValueTask<PartStatus> GetStatusAsync() => new(new PartStatus(_run?.Attempt, _run?.Running.Count ?? 0, _run?.Ended ?? 0));

    async Task PrepareAndRunAsync(PartRun run)
    {
        try
        {
            run.InWorkspace = true;
            var (starts, failures, model) = await workspace.PrepareAsync(run.Lease, run.Stop.Token);
            run.InWorkspace = false;
            if (_run != run)
            {
                workspace.Discard(run.Attempt);
                return;
            }
            run.Computes = !run.Lease.Spec.HasSteps || !starts.IsEmpty;
            run.Failures.AddRange(failures);
            foreach (var start in starts)
                run.Running.Add(start.Sample);
            if (starts.IsEmpty)
            {
                await PublishAsync(run);
                return;
            }
            var begun = await Task.WhenAll(starts.Select(start => Trajectory(run, start.Sample).StartAsync(new TrajectoryOrder(
                run.Attempt, start.Sample, model!.Value, start.Step, run.Lease.Spec.NumInferenceSteps))));
            if (!begun.All(b => b))
                throw new PartAbandonedException(new(FaultOwner.Attempt, "a sample still belongs to another attempt"));
        }
        catch (Exception exception)
        {
            run.InWorkspace = false;
            await GiveBackAsync(run, exception);
        }
    }

    async Task PublishAsync(PartRun run)
    {
        var failures = run.Failures.ToImmutableArray();
        PublishedPart published;
        try
        {
            run.InWorkspace = true;
            published = await workspace.PublishAsync(run.Attempt, failures, run.Stop.Token);
            run.InWorkspace = false;
        }
        catch (Exception exception)
        {
            run.InWorkspace = false;
            await GiveBackAsync(run, exception);
            return;
        }
        // The store has decided: even when this attempt was stopped meanwhile its rows are published, and nothing may be discarded.
        await TellCompletedAsync(run, published, failures);
        End(run, published.All);
    }

    /// <summary>
    /// A coordinator that is away comes back, and does not know of these rows: whoever reads them would wait until the lease ends.
    /// </summary>
    async Task TellCompletedAsync(PartRun run, PublishedPart published, ImmutableArray<SampleFailure> failures)
    {
        var own = run.Computes ? published.Ours : RowSet.Empty;
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await Stage(run).CompleteAsync(run.Attempt, published.All, run.Lease.Keep, failures, own);
                return;
            }
            catch (Exception exception) when (IsAway(exception) && attempt < CompletionsTold && _run == run)
            {
                await Task.Delay(s_tellAgainAfter, time);
            }
            catch (Exception exception)
            {
                LogCompletionLost(logger, run.Attempt, exception);
                return;
            }
        }
    }

    static bool IsAway(Exception exception) =>
        exception is TimeoutException or SiloUnavailableException or OrleansMessageRejectionException;

    /// <summary>The samples stop and what they wrote goes, unless the workspace still has it in hand.</summary>
    async Task AbandonAsync(PartRun run)
    {
        run.Stop.Cancel();
        try
        {
            await Task.WhenAll(run.Running.Select(sample => Trajectory(run, sample).StopAsync(run.Attempt)));
        }
        catch (Exception exception)
        {
            // Their slots belong to a silo that does not answer; a newer attempt replaces them all the same.
            LogStopFailed(logger, run.Attempt, exception);
        }
        run.Running.Clear();
        if (!run.InWorkspace)
            workspace.Discard(run.Attempt);
    }

    async Task GiveBackAsync(PartRun run, Exception exception)
    {
        if (_run != run)
        {
            workspace.Discard(run.Attempt);
            return;
        }
        // A silo that ends refuses what it has not begun: no fault of the part.
        var fault = exception switch
        {
            _ when workspace.Draining => null,
            OperationCanceledException => null,
            PartAbandonedException abandoned => abandoned.Fault,
            _ => workspace.Blame(run.Attempt, exception),
        };
        // Nobody's: the part is handed out again.
        if (fault is { Owner: FaultOwner.Attempt })
            fault = null;
        if (fault is not null)
            LogPartFailed(logger, run.Attempt, exception);
        // From here on the ends of its samples no longer count: the part must not be published and given back at once.
        _run = null;
        try
        {
            await AbandonAsync(run);
            // The other stage first: this one asks it for its rows again.
            if (fault is { Owner: FaultOwner.Input, Stage: { } input })
                await GrainFactory.GetGrain<IStageGrain>(StageAddress.GrainKey(input)).LookAgainAsync(fault.Rows);
            await Stage(run).GiveBackAsync(run.Attempt, fault);
        }
        catch (Exception lost)
        {
            LogGiveBackLost(logger, run.Attempt, lost);
        }
        End(run, RowSet.Empty);
    }

    /// <summary>The worker stops renewing in any case: what the stage did not hear, the end of the lease tells it.</summary>
    void End(PartRun run, RowSet published)
    {
        signal.PartEnded(run.Attempt, published);
        if (_run == run)
            _run = null;
        // A newer attempt may have begun while this one ended.
        if (_run is null)
            DeactivateOnIdle();
    }

    IStageGrain Stage(PartRun run) => GrainFactory.GetGrain<IStageGrain>(StageAddress.GrainKey(run.Attempt.StageKey));

    ITrajectoryGrain Trajectory(PartRun run, int sample) =>
        GrainFactory.GetGrain<ITrajectoryGrain>(TrajectoryOrder.Key(run.Attempt.StageKey, sample));

    [LoggerMessage(3001, LogLevel.Error, "Part {Attempt} was given back")]
    static partial void LogPartFailed(ILogger logger, PartAttempt attempt, Exception exception);

    [LoggerMessage(3002, LogLevel.Warning, "Part {Attempt} is published, but its stage did not answer")]
    static partial void LogCompletionLost(ILogger logger, PartAttempt attempt, Exception exception);

    [LoggerMessage(3003, LogLevel.Warning, "Part {Attempt} could not be given back; its lease will expire")]
    static partial void LogGiveBackLost(ILogger logger, PartAttempt attempt, Exception exception);

    [LoggerMessage(3004, LogLevel.Warning, "Samples of part {Attempt} could not be stopped")]
    static partial void LogStopFailed(ILogger logger, PartAttempt attempt, Exception exception);
}

using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Taba.Grains.Parts;
using Taba.Grains.Ports;
using Taba.Grains.Stages;

namespace Taba.Silo.Workers;

/// <summary>
/// Renews the leases of parts whose grains run them, and of no others: a lease that nobody works on ends by itself. Stops parts whose
/// lease is lost (docs/design/grains.md).
/// </summary>
sealed partial class LeaseKeeper(
    IGrainFactory grains,
    ILocalSiloDetails silo,
    HeldParts held,
    IPartWorkspace workspace,
    IOptions<LeaseOptions> leases,
    TimeProvider time,
    ILogger<LeaseKeeper> logger)
{
    static readonly TimeSpan s_callLimit = TimeSpan.FromSeconds(20);

    readonly Dictionary<string, Task> _renewals = [];

    /// <summary>A part's grain is of this silo and answers at once, or something is wrong. The others' leases must not wait.</summary>
    TimeSpan LookLimit => leases.Value.Duration / 6;

    public async Task RunAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            var parts = held.All;
            foreach (var stage in parts.Where(p => p.HasBegun).GroupBy(p => p.Lease.Attempt.StageKey))
            {
                // One at a time for each stage, and none waits for another's.
                if (!_renewals.TryGetValue(stage.Key, out var running) || running.IsCompleted)
                    _renewals[stage.Key] = RenewAsync(stage.Key, [.. stage]);
            }
            foreach (var (stage, renewal) in _renewals.ToList())
            {
                if (renewal.IsCompleted && parts.All(p => p.Lease.Attempt.StageKey != stage))
                    _renewals.Remove(stage);
            }
            // A coordinator that does not answer may have given the part to another: stop before its lease can have ended. The same for a
            // part that does not answer: its lease was not renewed.
            foreach (var part in parts.Where(p => time.GetElapsedTime(p.AnsweredAt) > leases.Value.Duration * 2 / 3))
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

    /// <summary>Gives every part back: another silo goes on with them at once.</summary>
    public async Task GiveBackAllAsync() => await Task.WhenAll(held.All.Select(async part =>
    {
        var attempt = part.Lease.Attempt;
        try
        {
            await grains.GetGrain<IPartGrain>(attempt.PartKey).StopAsync(attempt).WaitAsync(s_callLimit, time);
            await GiveBackAsync(attempt);
        }
        catch (Exception exception)
        {
            // Its lease ends with this silo.
            LogGiveBackFailed(logger, attempt, exception.Message);
        }
        held.Remove(attempt);
    }));

    async Task RenewAsync(string stageKey, IReadOnlyList<HeldPart> parts)
    {
        try
        {
            // The parts first: the grain may be gone with what it knew, or hang where nobody sees it.
            var run = await Task.WhenAll(parts.Select(RunsAsync));
            var running = parts.Where((_, i) => run[i] is true).ToList();
            if (running.Count > 0)
                await RenewRunningAsync(stageKey, running);
            // Seen once, it may be giving itself back just now, with a reason.
            var missing = parts.Where((_, i) => run[i] is false).ToList();
            foreach (var part in missing.Where(p => p.WasMissing && held.Remove(p.Lease.Attempt)))
                await GiveBackAsync(part.Lease.Attempt);
            foreach (var part in parts)
                part.WasMissing = missing.Contains(part);
        }
        catch (Exception exception)
        {
            LogRenewFailed(logger, stageKey, exception.Message);
        }
    }

    async Task RenewRunningAsync(string stageKey, List<HeldPart> parts)
    {
        var kept = await Stage(stageKey)
            .RenewAsync(
                silo.SiloAddress.ToParsableString(),
                [
                    .. parts.Select(p => new PartProgress(p.Lease.Attempt, workspace.Evaluations(p.Lease.Attempt))
                    {
                        Rows = p.Lease.Rows,
                    }),
                ])
            .WaitAsync(s_callLimit, time);
        foreach (var (part, ours) in parts.Zip(kept))
        {
            if (ours)
                part.AnsweredAt = time.GetTimestamp();
            // A stage forgets a lease when its part is completed, a moment before this worker hears of that.
            else if (await HasEndedAsync(part.Lease.Attempt))
                held.Remove(part.Lease.Attempt);
            else
                await StopAsync(part).WaitAsync(s_callLimit, time);
        }
    }

    /// <summary>Whether a part's grain runs it, also while it is being published; null when the grain does not answer.</summary>
    async Task<bool?> RunsAsync(HeldPart part)
    {
        try
        {
            return (await StatusAsync(part.Lease.Attempt)).Attempt == part.Lease.Attempt;
        }
        catch (Exception exception)
        {
            LogRenewFailed(logger, part.Lease.Attempt.StageKey, $"{part.Lease.Attempt} does not answer: {exception.Message}");
            return null;
        }
    }

    async Task<bool> HasEndedAsync(PartAttempt attempt)
    {
        var part = await StatusAsync(attempt);
        return part.Attempt != attempt || part is { SamplesRunning: 0, SamplesEnded: > 0 };
    }

    Task<PartStatus> StatusAsync(PartAttempt attempt) =>
        grains.GetGrain<IPartGrain>(attempt.PartKey).GetStatusAsync().AsTask().WaitAsync(LookLimit, time);

    async Task StopAsync(HeldPart part)
    {
        if (!held.Remove(part.Lease.Attempt))
            return;
        LogLost(logger, part.Lease.Attempt);
        await grains.GetGrain<IPartGrain>(part.Lease.Attempt.PartKey).StopAsync(part.Lease.Attempt);
    }

    Task GiveBackAsync(PartAttempt attempt) => Stage(attempt.StageKey).GiveBackAsync(attempt, null).WaitAsync(s_callLimit, time);

    IStageGrain Stage(string key) => grains.GetGrain<IStageGrain>(StageAddress.GrainKey(key));

    [LoggerMessage(3102, LogLevel.Warning, "Leases of stage {Stage} could not be renewed: {Reason}")]
    static partial void LogRenewFailed(ILogger logger, string stage, string reason);

    [LoggerMessage(3103, LogLevel.Warning, "The lease of {Attempt} is lost; its work stops")]
    static partial void LogLost(ILogger logger, PartAttempt attempt);

    [LoggerMessage(3104, LogLevel.Warning, "Part {Attempt} could not be given back: {Reason}")]
    static partial void LogGiveBackFailed(ILogger logger, PartAttempt attempt, string reason);
}

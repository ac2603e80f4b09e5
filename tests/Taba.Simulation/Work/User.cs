using Taba.Grains.Errors;
using Taba.Grains.Sweeps;
using Taba.Simulation.Checks;
using Taba.Simulation.Cluster;

namespace Taba.Simulation.Work;

/// <summary>
/// A user with one sweep: submits it, steers it, looks at it until it ends. An answer that does not come is asked for again.
/// </summary>
sealed class User(SimCluster cluster, Intent intent)
{
    static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);

    TimeProvider Time => cluster.Client.Time;

    ISweepGrain Sweep => cluster.Grains.GetGrain<ISweepGrain>(intent.Plan.SweepId);

    /// <param name="after">When he begins.</param>
    /// <param name="acts">How often he steers.</param>
    /// <param name="leaves">How he leaves the sweep: to itself, paused, or cancelled.</param>
    public async Task RunAsync(TimeSpan after, int acts, Leaves leaves)
    {
        var random = cluster.World.Random;
        await Task.Delay(after, Time);
        await DoAsync("submit", () => Sweep.SubmitAsync(intent.Plan));
        for (var i = 0; i < acts; i++)
        {
            await Task.Delay(random.Seconds(0, 8), Time);
            switch (random.Below(4))
            {
                case 0:
                    await PauseAsync();
                    await Task.Delay(random.Seconds(0, 25), Time);
                    intent.HeldSince = null;
                    intent.IsPaused = false;
                    await DoAsync("resume", Sweep.ResumeAsync);
                    break;
                case 1:
                    intent.HeldSince = null;
                    await DoAsync("retry", Sweep.RetryAsync);
                    break;
                case 2:
                    intent.Plan = intent.Plan with { Priority = random.OneOf(0, 5, 10) };
                    await DoAsync("submit", () => Sweep.SubmitAsync(intent.Plan));
                    break;
                default:
                    await DoAsync("status", () => Sweep.GetStatusAsync().AsTask());
                    break;
            }
        }
        if (leaves is Leaves.Paused or Leaves.Cancelled)
            await Task.Delay(random.Seconds(0, 20), Time);
        if (leaves == Leaves.Paused)
            await PauseAsync();
        else if (leaves == Leaves.Cancelled)
            await CancelAsync();
        intent.ScriptEnded = true;
        if (leaves is Leaves.Paused or Leaves.Cancelled)
            return;
        // What he saw before he submitted again is of no interest.
        intent.Seen = null;
        // Nobody looks: the sweep ends all the same.
        while (leaves == Leaves.Alone && !EndChecks.IsListedAsEnded(cluster, intent.Plan.SweepId))
            await Task.Delay(random.Seconds(1, 5), Time);
        while (!intent.HasEnded)
        {
            await Task.Delay(random.Seconds(1, 2), Time);
            await DoAsync("status", async () => intent.Seen = await Sweep.GetStatusAsync());
            // The database lost that he had it go on.
            if (intent.Seen!.State is SweepState.Paused)
                await DoAsync("resume", Sweep.ResumeAsync);
        }
        cluster.World.Note("ended", cluster.Client, $"{intent.Plan.SweepId} {intent.Seen!.State}");
    }

    /// <summary>His sweep keeps the cluster busy until all others have ended; then he cancels it.</summary>
    public async Task KeepBusyAsync()
    {
        await DoAsync("submit", () => Sweep.SubmitAsync(intent.Plan));
        while (cluster.Facts.Intents.Any(other => other != intent && !other.HasEnded))
            await Task.Delay(TimeSpan.FromSeconds(1), Time);
        await CancelAsync();
        intent.ScriptEnded = true;
    }

    async Task CancelAsync()
    {
        intent.IsCancelled = true;
        await DoAsync("cancel", Sweep.CancelAsync);
        intent.HeldSince = cluster.World.Now;
    }

    async Task PauseAsync()
    {
        await DoAsync("pause", Sweep.PauseAsync);
        // A sweep that has ended cannot be paused.
        await DoAsync("status", async () => intent.Seen = await Sweep.GetStatusAsync());
        intent.IsPaused = true;
        intent.HeldSince = cluster.World.Now;
    }

    async Task SubmitAgainAsync()
    {
        try
        {
            await Sweep.SubmitAsync(intent.Plan).WaitAsync(s_patience, Time);
        }
        catch (Exception)
        {
            // What was asked for is asked for again, and so is this.
        }
    }

    async Task DoAsync(string what, Func<Task> act)
    {
        while (true)
        {
            try
            {
                if (what != "status")
                    cluster.World.Note(what, cluster.Client, intent.Plan.SweepId);
                await act().WaitAsync(s_patience, Time);
                return;
            }
            catch (Exception exception)
            {
                cluster.World.Note("no answer", cluster.Client, cluster.World.Trace.Records ? $"{what}: {exception.Message}" : "");
                // The database has lost it.
                if (CallException.In(exception) is { Kind: CallFault.Unknown })
                    await SubmitAgainAsync();
                else if (!PassingErrors.OfCluster(exception))
                    cluster.World.Break("a user hears only of errors that pass", $"{what}: {exception}");
                await Task.Delay(cluster.World.Random.Seconds(0.2, 2), Time);
            }
        }
    }
}

/// <summary>How a user leaves a sweep.</summary>
enum Leaves
{
    Running,

    /// <summary>He does not look any more.</summary>
    Alone,
    Paused,
    Cancelled,
}

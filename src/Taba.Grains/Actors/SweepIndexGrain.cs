using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Taba.Grains.Dispatch;
using Taba.Grains.Placement;
using Taba.Grains.Sweeps;

namespace Taba.Grains.Actors;

[CoordinatorPlacement]
sealed partial class SweepIndexGrain(
    [PersistentState("sweep-index", GrainStorage.Name)] IPersistentState<SweepIndexState> state, TimeProvider time,
    ILogger<SweepIndexGrain> logger)
    : Grain, ISweepIndexGrain
{
    /// <summary>Sweeps that ended are listed for people: the last few.</summary>
    const int EndedKept = 100;

    static readonly TimeSpan s_toldWithin = TimeSpan.FromSeconds(2);

    ImmutableArray<SweepEntry> Sweeps => state.State.Sweeps;

    public Task AddAsync(SweepEntry entry)
    {
        var i = IndexOf(entry.SweepId);
        if (i < 0)
            return WriteAsync(Sweeps.Add(entry));
        // A live sweep keeps its place in the order. One that had ended comes last again.
        return Sweeps[i].Ended is null
            ? WriteAsync(Sweeps.SetItem(i, entry with { SubmittedAt = Sweeps[i].SubmittedAt }))
            : WriteAsync(Sweeps.RemoveAt(i).Add(entry));
    }

    public Task SetPausedAsync(string sweepId, bool paused) =>
        IndexOf(sweepId) is >= 0 and var i && Sweeps[i].Ended is null
            ? WriteAsync(Sweeps.SetItem(i, Sweeps[i] with { Paused = paused }))
            : Task.CompletedTask;

    public Task EndAsync(string sweepId, SweepState how)
    {
        if (IndexOf(sweepId) is not (>= 0 and var i) || Sweeps[i].Ended is not null)
            return Task.CompletedTask;
        var next = Sweeps.SetItem(i, Sweeps[i] with { Ended = how, EndedAt = time.GetUtcNow(), Paused = false });
        var forgotten = next.Where(s => s.Ended is not null).OrderByDescending(s => s.EndedAt).Skip(EndedKept).ToHashSet();
        return WriteAsync(next.RemoveAll(forgotten.Contains));
    }

    public ValueTask<ImmutableArray<SweepEntry>> GetLiveAsync() => new(Sweeps.RemoveAll(s => s.Ended is not null));

    public ValueTask<ImmutableArray<SweepEntry>> GetAllAsync() =>
        new([.. Sweeps.OrderBy(s => s.Ended is not null).ThenByDescending(s => s.EndedAt ?? s.SubmittedAt)]);

    int IndexOf(string sweepId)
    {
        for (var i = 0; i < Sweeps.Length; i++)
        {
            if (Sweeps[i].SweepId == sweepId)
                return i;
        }
        return -1;
    }

    async Task WriteAsync(ImmutableArray<SweepEntry> next)
    {
        if (next.SequenceEqual(Sweeps))
            return;
        var before = state.State;
        state.State = before with { Sweeps = next };
        try
        {
            await state.WriteStateAsync();
        }
        catch
        {
            state.State = before;
            throw;
        }
        await TellDispatcherAsync();
    }

    /// <summary>What is paused must not be served a moment longer. Who does not hear it reads the list in a few seconds.</summary>
    async Task TellDispatcherAsync()
    {
        try
        {
            await GrainFactory.GetGrain<IDispatcherGrain>(0).SetSweepsAsync(await GetLiveAsync()).WaitAsync(s_toldWithin, time);
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            LogUntold(logger, exception.Message);
        }
    }

    [LoggerMessage(2110, LogLevel.Warning, "The dispatcher did not hear which sweeps live, and will ask: {Reason}")]
    static partial void LogUntold(ILogger logger, string reason);
}

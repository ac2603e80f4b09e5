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

    /// <summary>Of more that are not listed the oldest are due before their time: the state has a bound.</summary>
    const int UnlistedKept = 5000;

    // What live sweeps said last of how far they are; not written.
    readonly Dictionary<string, SweepProgress> _progress = [];

    static readonly TimeSpan s_toldWithin = TimeSpan.FromSeconds(2);

    ImmutableArray<SweepEntry> Sweeps => state.State.Sweeps;

    ImmutableArray<EndedSweep> Unlisted => state.State.Unlisted;

    public Task AddAsync(SweepEntry entry)
    {
        var i = IndexOf(entry.SweepId);
        if (i < 0)
            return WriteAsync(Sweeps.Add(entry), Unlisted.RemoveAll(s => s.SweepId == entry.SweepId));
        // A live sweep keeps its place in the order. One that had ended comes last again.
        return Sweeps[i].Ended is null
            ? WriteAsync(Sweeps.SetItem(i, entry with { SubmittedAt = Sweeps[i].SubmittedAt }))
            : WriteAsync(Sweeps.RemoveAt(i).Add(entry));
    }

    public Task EndAsync(string sweepId, SweepState how)
    {
        if (IndexOf(sweepId) is not (>= 0 and var i) || Sweeps[i].Ended is not null)
            return Task.CompletedTask;
        var next = Sweeps.SetItem(
            i, Sweeps[i] with
            {
                Ended = how,
                EndedAt = time.GetUtcNow(),
                Paused = false,
                Progress = _progress.GetValueOrDefault(sweepId),
            });
        var gone = next.Where(s => s.Ended is not null).OrderByDescending(s => s.EndedAt).Skip(EndedKept).Reverse().ToList();
        return WriteAsync(
            next.RemoveAll(gone.Contains), Unlisted.AddRange(gone.Select(s => new EndedSweep(s.SweepId, s.EndedAt ?? time.GetUtcNow()))));
    }

    public Task ProgressAsync(SweepProgress progress)
    {
        if (IndexOf(progress.SweepId) is >= 0 and var i && Sweeps[i].Ended is null
            && !(_progress.TryGetValue(progress.SweepId, out var known) && known.Version > progress.Version))
            _progress[progress.SweepId] = progress;
        return Task.CompletedTask;
    }

    public ValueTask<ImmutableArray<string>> GetEndedAsync(DateTimeOffset before)
    {
        var early = Math.Max(0, Unlisted.Length - UnlistedKept);
        return new(
        [
            .. Unlisted.Where((s, i) => i < early || s.EndedAt < before).Select(s => s.SweepId),
            .. Sweeps.Where(s => s.Ended is not null && s.EndedAt < before).Select(s => s.SweepId),
        ]);
    }

    // One that lives again by now stays.
    public Task ForgetAsync(ImmutableArray<string> sweepIds) => WriteAsync(
        Sweeps.RemoveAll(s => s.Ended is not null && sweepIds.Contains(s.SweepId)), Unlisted.RemoveAll(s => sweepIds.Contains(s.SweepId)));

    public ValueTask<ImmutableArray<SweepEntry>> GetLiveAsync() => new(Sweeps.RemoveAll(s => s.Ended is not null));

    public ValueTask<ImmutableArray<SweepEntry>> GetAllAsync() => new([.. Ordered()]);

    public ValueTask<SweepPage> GetPageAsync(int from, int count) => new(new SweepPage(
        Sweeps.Length, Sweeps.Count(s => s.Ended is null),
        [
            .. Ordered().Skip(from).Take(Math.Clamp(count, 1, SweepPage.MostEntries)).Select(
                s => s.Ended is null && _progress.TryGetValue(s.SweepId, out var progress) ? s with { Progress = progress } : s),
        ]));

    IEnumerable<SweepEntry> Ordered() => Sweeps.OrderBy(s => s.Ended is not null).ThenByDescending(s => s.EndedAt ?? s.SubmittedAt);

    int IndexOf(string sweepId)
    {
        for (var i = 0; i < Sweeps.Length; i++)
        {
            if (Sweeps[i].SweepId == sweepId)
                return i;
        }
        return -1;
    }

    Task WriteAsync(ImmutableArray<SweepEntry> next) => WriteAsync(next, Unlisted);

    async Task WriteAsync(ImmutableArray<SweepEntry> next, ImmutableArray<EndedSweep> unlisted)
    {
        if (next.SequenceEqual(Sweeps) && unlisted.SequenceEqual(Unlisted))
            return;
        var before = state.State;
        state.State = before with { Sweeps = next, Unlisted = unlisted };
        try
        {
            await state.WriteStateAsync();
        }
        catch
        {
            state.State = before;
            throw;
        }
        foreach (var gone in _progress.Keys.Except(next.Where(s => s.Ended is null).Select(s => s.SweepId)).ToList())
            _progress.Remove(gone);
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

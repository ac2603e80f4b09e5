using System.Collections.Immutable;
using Taba.Grains.Placement;
using Taba.Grains.Sweeps;

namespace Taba.Grains.Actors;

[CoordinatorPlacement]
sealed class SweepIndexGrain(
    [PersistentState("sweep-index", GrainStorage.Name)] IPersistentState<SweepIndexState> state, TimeProvider time)
    : Grain, ISweepIndexGrain
{
    /// <summary>Sweeps that ended are listed for people: the last few.</summary>
    const int EndedKept = 100;

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
    }
}

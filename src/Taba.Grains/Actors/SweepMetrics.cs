using System.Collections.Immutable;
using Taba.Grains.Sweeps;

namespace Taba.Grains.Actors;

/// <summary>The numbers of a sweep's run folders, as they are told. In one grain's turns only.</summary>
/// <param name="failed">Told of a write that nobody waited for. The next one has what it lacks.</param>
sealed class SweepMetrics(Grain grain, IPersistentState<SweepMetricsState> state, TimeProvider time, Action<Exception> failed)
{
    readonly StateWriter _writer = new(grain, state.WriteStateAsync, time, failed);

    /// <summary>Those of a plan's runs, in its order.</summary>
    public ImmutableArray<RunNumbers> Of(SweepPlan plan)
    {
        var known = state.State.Runs.ToDictionary(r => r.Run);
        return [.. plan.Runs.Select(r => known.GetValueOrDefault(r.Slug)).OfType<RunNumbers>()];
    }

    /// <summary>Takes the numbers of a run in place of those that it had.</summary>
    public Task TellAsync(SweepPlan plan, RunNumbers metrics)
    {
        var told = metrics with
        {
            Numbers =
            [
                .. metrics.Numbers.Where(n => double.IsFinite(n.Value) && n.Name.Length is > 0 and <= RunNumber.MostCharacters
                    && !n.Name.Any(char.IsControl)).DistinctBy(n => n.Name).Take(RunNumbers.MostNumbers),
            ],
        };
        var before = state.State;
        var known = Of(plan);
        if (plan.Runs.All(r => r.Slug != told.Run) || known.Any(r => r.Run == told.Run && r.Numbers.SequenceEqual(told.Numbers)))
            return Task.CompletedTask;
        var next = known.RemoveAll(r => r.Run == told.Run).Add(told);
        if (next.Length > RunNumbers.MostRuns)
            return Task.CompletedTask;
        state.State = before with { Runs = next };
        return _writer.SoonAsync(() => state.State = before);
    }

    public Task FlushAsync() => _writer.FlushAsync();

    /// <summary>Clears them.</summary>
    public async Task ForgetAsync()
    {
        await _writer.FlushAsync();
        if (state.RecordExists)
            await state.ClearStateAsync();
    }
}

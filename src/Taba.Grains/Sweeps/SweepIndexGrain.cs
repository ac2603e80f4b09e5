using System.Collections.Immutable;
using Taba.Grains.Stages;

namespace Taba.Grains.Sweeps;

/// <summary>The durable list of live sweeps.</summary>
[GenerateSerializer, Alias("taba.SweepIndexState")]
public sealed record SweepIndexState
{
    [Id(0)] public int Schema { get; init; } = 1;

    [Id(1)] public ImmutableArray<string> Live { get; init; } = [];
}

sealed class SweepIndexGrain([PersistentState("sweep-index", GrainStorage.Name)] IPersistentState<SweepIndexState> state)
    : Grain, ISweepIndexGrain
{
    public async Task AddAsync(string sweepId)
    {
        if (state.State.Live.Contains(sweepId))
            return;
        state.State = state.State with { Live = state.State.Live.Add(sweepId) };
        await state.WriteStateAsync();
    }

    public async Task RemoveAsync(string sweepId)
    {
        if (!state.State.Live.Contains(sweepId))
            return;
        state.State = state.State with { Live = state.State.Live.Remove(sweepId) };
        await state.WriteStateAsync();
    }

    public ValueTask<ImmutableArray<string>> GetLiveAsync() => new(state.State.Live);
}

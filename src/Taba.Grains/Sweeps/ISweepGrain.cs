using System.Collections.Immutable;
using Orleans.Concurrency;

namespace Taba.Grains.Sweeps;

/// <summary>A sweep: the plan, and what became of it. The key is the sweep's id.</summary>
[Alias("taba.ISweepGrain")]
public interface ISweepGrain : IGrainWithStringKey
{
    /// <summary>Takes the plan and asks its stages for their rows. Idempotent: the same plan again continues.</summary>
    [Alias("Submit")]
    Task<SweepStatus> SubmitAsync(SweepPlan plan);

    /// <summary>Stages that may have work, the deepest first, so that trajectories flow on before new ones begin.</summary>
    [AlwaysInterleave, Alias("Work")]
    ValueTask<ImmutableArray<StageWork>> GetWorkAsync();

    [AlwaysInterleave, Alias("Status")]
    ValueTask<SweepStatus> GetStatusAsync();

    /// <summary>Snapshots as they change, at least every few seconds, until the sweep ends.</summary>
    [AlwaysInterleave, Alias("Watch")]
    IAsyncEnumerable<SweepStatus> WatchAsync(long sinceVersion, CancellationToken cancellationToken = default);

    /// <summary>Stops handing out work. What was published stays.</summary>
    [Alias("Cancel")]
    Task CancelAsync();
}

/// <summary>A stage that may have work.</summary>
/// <param name="HasSteps">Whether its rows step through the engine; else they pass through an autoencoder.</param>
[GenerateSerializer, Immutable, Alias("taba.StageWork")]
public readonly record struct StageWork(string Key, bool HasSteps);

/// <summary>The ids of sweeps that are not finished. There is one such grain, with key 0.</summary>
[Alias("taba.ISweepIndexGrain")]
public interface ISweepIndexGrain : IGrainWithIntegerKey
{
    [Alias("Add")]
    Task AddAsync(string sweepId);

    [Alias("Remove")]
    Task RemoveAsync(string sweepId);

    [AlwaysInterleave, Alias("Live")]
    ValueTask<ImmutableArray<string>> GetLiveAsync();
}

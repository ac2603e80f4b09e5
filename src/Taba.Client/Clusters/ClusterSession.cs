using Taba.Client.Hosts;
using Taba.Grains.Sweeps;
using Taba.Storage.Manifests;
using Taba.Storage.Objects;

namespace Taba.Client.Clusters;

/// <summary>
/// A sweep on a cluster, seen from outside. Calls that fail are made again until they work: silos die, databases restart, and the
/// sweep goes on without this process.
/// </summary>
sealed class ClusterSession(IGrainFactory grains, TensorStore store, string deviceKind, string cluster, Terminal terminal) : IRunSession
{
    /// <summary>Never completes: a fault in a cluster is waited out.</summary>
    public Task<string> Fault { get; } = new TaskCompletionSource<string>().Task;

    public TensorStore Store => store;

    public string DeviceKind => deviceKind;

    public string OnInterrupt =>
        $"Interrupted: the sweep goes on in cluster {cluster}. The same command watches it again; taba cancel ends it.";

    public Task<SweepStatus> SubmitAsync(SweepPlan plan) =>
        Patience().AskAsync(() => grains.GetGrain<ISweepGrain>(plan.SweepId).SubmitAsync(plan), CancellationToken.None);

    public Task LookAgainAsync(string sweepId, string stageKey, RowRange rows) =>
        Patience().AskAsync(
            async () =>
            {
                await grains.GetGrain<ISweepGrain>(sweepId).LookAgainAsync(stageKey, rows);
                return true;
            }, CancellationToken.None);

    public IAsyncEnumerable<SweepStatus> WatchAsync(string sweepId, long sinceVersion, CancellationToken cancellationToken) =>
        Patience().WatchAsync(grains.GetGrain<ISweepGrain>(sweepId), sinceVersion, cancellationToken);

    /// <summary>Refused before anything was planned.</summary>
    public Task ForgetAsync(SweepPlan plan, CancellationToken cancellationToken) =>
        throw new InvalidOperationException("A cluster's stages are not removed while it runs.");

    /// <summary>Nothing runs here.</summary>
    public Task DrainAsync(TimeSpan patience) => Task.CompletedTask;

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    ClusterPatience Patience() => new(cluster, terminal);
}

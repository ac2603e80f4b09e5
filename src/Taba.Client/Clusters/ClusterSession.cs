using System.Runtime.CompilerServices;
using Taba.Client.Hosts;
using Taba.Grains.Errors;
using Taba.Grains.Sweeps;
using Taba.Storage.Manifests;
using Taba.Storage.Objects;

namespace Taba.Client.Clusters;

/// <summary>
/// A sweep on a cluster, seen from outside. Calls that fail for a reason that passes are made again: silos die, databases restart, and the
/// sweep goes on without this process. A sweep that its database lost is submitted again.
/// </summary>
sealed class ClusterSession(
    IGrainFactory grains, TensorStore store, string deviceKind, string cluster, string commandLine, Terminal terminal) : IRunSession
{
    SweepPlan? _submitted;

    /// <summary>Never completes: a fault in a cluster is waited out.</summary>
    public Task<string> Fault { get; } = new TaskCompletionSource<string>().Task;

    /// <summary>The silos have one, and know where.</summary>
    public Uri? Dashboard => null;

    public TensorStore Store => store;

    public string DeviceKind => deviceKind;

    public string? OnInterrupt => null;

    public string? AfterInterrupt(SweepPlan plan) =>
        $"Interrupted: the sweep goes on in cluster {cluster}. To see it and write its results: {commandLine}; to end it: taba cancel "
        + $"{plan.SweepId} --cluster {cluster}";

    public Task<SweepStatus> SubmitAsync(SweepPlan plan)
    {
        _submitted = plan;
        return Patience().AskAsync(
            () =>
            {
                Requester.Send(Requester.OfProcess);
                return grains.GetGrain<ISweepGrain>(plan.SweepId).SubmitAsync(plan);
            },
            CancellationToken.None);
    }

    public Task TellMetricsAsync(string sweepId, RunNumbers numbers) => grains.GetGrain<ISweepGrain>(sweepId).MetricsAsync(numbers);

    public Task LookAgainAsync(string sweepId, string stageKey, RowRange rows) =>
        Patience().AskAsync(() => grains.GetGrain<ISweepGrain>(sweepId).LookAgainAsync(stageKey, rows), CancellationToken.None);

    public async IAsyncEnumerable<SweepStatus> WatchAsync(
        string sweepId, long sinceVersion, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var patience = Patience();
        while (true)
        {
            await using var watch = patience.WatchAsync(grains.GetGrain<ISweepGrain>(sweepId), sinceVersion, cancellationToken)
                .GetAsyncEnumerator(cancellationToken);
            var lost = false;
            while (true)
            {
                try
                {
                    if (!await watch.MoveNextAsync())
                        yield break;
                }
                catch (CallException unknown) when (unknown.Kind is CallFault.Unknown && _submitted?.SweepId == sweepId)
                {
                    lost = true;
                }
                if (lost)
                    break;
                sinceVersion = watch.Current.Version;
                yield return watch.Current;
            }
            terminal.Say($"Cluster {cluster} has lost the sweep's plan: it is submitted again, and what was published counts.");
            var status = await SubmitAsync(_submitted!);
            sinceVersion = status.Version;
            yield return status;
        }
    }

    /// <summary>Refused before anything was planned.</summary>
    public Task ForgetAsync(SweepPlan plan, CancellationToken cancellationToken) =>
        throw new InvalidOperationException("A cluster's stages are not removed while it runs.");

    /// <summary>Nothing runs here.</summary>
    public Task DrainAsync(TimeSpan patience) => Task.CompletedTask;

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    ClusterPatience Patience() => new(cluster, terminal);
}

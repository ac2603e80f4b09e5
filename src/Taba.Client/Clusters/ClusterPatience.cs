using Taba.Client.Hosts;
using Taba.Grains.Errors;
using Taba.Grains.Sweeps;

namespace Taba.Client.Clusters;

/// <summary>Asks a cluster again when it does not answer, with growing pauses, and says so once.</summary>
sealed class ClusterPatience
{
    readonly string _cluster;
    readonly Terminal _terminal;
    readonly CallPatience _calls;
    bool _said;

    public ClusterPatience(string cluster, Terminal terminal)
    {
        (_cluster, _terminal) = (cluster, terminal);
        _calls = new(PassingErrors.OfCluster, terminal.Time, Say, SayAnswered);
    }

    /// <summary>Asks until there is an answer.</summary>
    public Task<T> AskAsync<T>(Func<Task<T>> ask, CancellationToken cancellationToken) => _calls.AskAsync(ask, cancellationToken);

    /// <inheritdoc cref="AskAsync{T}"/>
    public Task AskAsync(Func<Task> ask, CancellationToken cancellationToken) => _calls.AskAsync(ask, cancellationToken);

    /// <summary>Follows a sweep to its end.</summary>
    public IAsyncEnumerable<SweepStatus> WatchAsync(ISweepGrain sweep, long sinceVersion, CancellationToken cancellationToken) =>
        _calls.WatchAsync(sweep, sinceVersion, cancellationToken);

    /// <summary>A first failure is no news: silos come and go.</summary>
    void Say(Exception failure, int failures)
    {
        if (_said || failures < 2)
            return;
        var what = CallException.In(failure)?.Message.TrimEnd('.')
            ?? (failure is TimeoutException ? "no answer in time" : "no silo can be reached");
        _terminal.Say(
            $"Cluster {_cluster} does not answer ({what}); its sweeps go on as far as they can, and this command asks again.");
        _said = true;
    }

    void SayAnswered()
    {
        if (_said)
            _terminal.Say($"Cluster {_cluster} answers again.");
        _said = false;
    }
}

using System.Runtime.CompilerServices;
using Polly;
using Taba.Diffusion.Resilience;
using Taba.Grains;
using Taba.Grains.Sweeps;

namespace Taba.Client.Clusters;

/// <summary>Asks a cluster again when it does not answer, with growing pauses, and says so once.</summary>
sealed class ClusterPatience
{
    static readonly RetryPolicy s_policy = new(TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(5)) { MayPass = IsTransient };

    readonly string _cluster;
    readonly Terminal _terminal;
    readonly ResiliencePipeline _asking;
    readonly HashSet<string> _told = [];
    bool _said;

    public ClusterPatience(string cluster, Terminal terminal)
    {
        (_cluster, _terminal) = (cluster, terminal);
        _asking = s_policy.Pipeline(terminal.Time, (failure, failures, _) => Say(failure, failures));
    }

    /// <summary>Asks until there is an answer.</summary>
    public async Task<T> AskAsync<T>(Func<Task<T>> ask, CancellationToken cancellationToken)
    {
        var answer = await _asking.ExecuteAsync(async _ => await ask(), cancellationToken);
        if (_said)
            _terminal.Error.WriteLine($"Cluster {_cluster} answers again.");
        _said = false;
        return answer;
    }

    /// <summary>Follows a sweep to its end. A watch that breaks off begins anew behind what was seen.</summary>
    public async IAsyncEnumerable<SweepStatus> WatchAsync(
        ISweepGrain sweep, long sinceVersion, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var seen = sinceVersion;
        IAsyncEnumerator<SweepStatus>? watch = null;
        try
        {
            while (await AskAsync(MoveNextAsync, cancellationToken))
            {
                seen = watch!.Current.Version;
                Tell(watch.Current);
                yield return watch.Current;
            }
        }
        finally
        {
            if (watch is not null)
                await watch.DisposeAsync();
        }

        async Task<bool> MoveNextAsync()
        {
            watch ??= sweep.WatchAsync(seen, cancellationToken).GetAsyncEnumerator(cancellationToken);
            try
            {
                return await watch.MoveNextAsync();
            }
            catch
            {
                var broken = watch;
                watch = null;
                await broken.DisposeAsync();
                throw;
            }
        }
    }

    /// <summary>Says once what keeps a sweep from going on.</summary>
    void Tell(SweepStatus status)
    {
        foreach (var trouble in SweepText.Troubles(status).Where(_told.Add))
            _terminal.Error.WriteLine($"The sweep: {trouble}");
    }

    /// <summary>A first failure is no news: silos come and go.</summary>
    void Say(Exception failure, int failures)
    {
        if (_said || failures < 2)
            return;
        _terminal.Error.WriteLine(
            $"Cluster {_cluster} does not answer ({failure.GetType().Name}); its sweeps go on as far as they can, and this command asks "
            + "again.");
        _said = true;
    }

    /// <summary>True when asking again can help: not after bad input, which stays bad, nor after a call that is refused.</summary>
    static bool IsTransient(Exception exception) =>
        exception is not (BadInputException or CallRefusedException
            or OperationCanceledException { CancellationToken.IsCancellationRequested: true });
}

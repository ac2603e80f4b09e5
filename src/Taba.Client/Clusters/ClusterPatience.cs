using System.Runtime.CompilerServices;
using Taba.Grains;
using Taba.Grains.Sweeps;

namespace Taba.Client.Clusters;

/// <summary>Asks a cluster again when it does not answer, with growing pauses, and says so once.</summary>
sealed class ClusterPatience(string cluster, Terminal terminal)
{
    static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(500);
    static readonly TimeSpan Longest = TimeSpan.FromSeconds(5);

    TimeSpan _pause = Shortest;
    bool _said;
    readonly HashSet<string> _told = [];

    /// <summary>Asks until there is an answer.</summary>
    public async Task<T> AskAsync<T>(Func<Task<T>> ask, CancellationToken cancellationToken)
        where T : class
    {
        while (true)
        {
            try
            {
                var answer = await ask();
                Answered();
                return answer;
            }
            catch (Exception exception) when (IsTransient(exception))
            {
                await WaitAsync(exception, cancellationToken);
            }
        }
    }

    /// <summary>Follows a sweep to its end. A watch that breaks off begins anew behind what was seen.</summary>
    public async IAsyncEnumerable<SweepStatus> WatchAsync(ISweepGrain sweep, long sinceVersion, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var seen = sinceVersion;
        while (true)
        {
            await using var watch = sweep.WatchAsync(seen, cancellationToken).GetAsyncEnumerator(cancellationToken);
            while (await TryAsync(async () => await watch.MoveNextAsync(), cancellationToken) is { } more)
            {
                if (!more)
                    yield break;
                seen = watch.Current.Version;
                Tell(watch.Current);
                yield return watch.Current;
            }
        }
    }

    /// <summary>Asks once; null when there is no answer, after a pause.</summary>
    async Task<bool?> TryAsync(Func<Task<bool>> ask, CancellationToken cancellationToken)
    {
        try
        {
            var answer = await ask();
            Answered();
            return answer;
        }
        catch (Exception exception) when (IsTransient(exception) && !cancellationToken.IsCancellationRequested)
        {
            await WaitAsync(exception, cancellationToken);
            return null;
        }
    }

    /// <summary>Says once what keeps a sweep from going on.</summary>
    void Tell(SweepStatus status)
    {
        foreach (var trouble in SweepText.Troubles(status).Where(_told.Add))
            terminal.Error.WriteLine($"The sweep: {trouble}");
    }

    void Answered()
    {
        if (_said)
            terminal.Error.WriteLine($"Cluster {cluster} answers again.");
        (_pause, _said) = (Shortest, false);
    }

    async Task WaitAsync(Exception exception, CancellationToken cancellationToken)
    {
        if (!_said && _pause > Shortest)
        {
            terminal.Error.WriteLine($"Cluster {cluster} does not answer ({exception.GetType().Name}); its sweeps go on as far as they can, and this command asks again.");
            _said = true;
        }
        await Task.Delay(_pause, terminal.Time, cancellationToken);
        _pause = _pause * 2 > Longest ? Longest : _pause * 2;
    }

    /// <summary>True when asking again can help: not after bad input, which stays bad.</summary>
    static bool IsTransient(Exception exception) => exception is not (BadInputException or OperationCanceledException { CancellationToken.IsCancellationRequested: true });
}

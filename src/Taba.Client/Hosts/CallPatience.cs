using System.Runtime.CompilerServices;
using Polly;
using Taba.Diffusion.Resilience;
using Taba.Grains.Sweeps;

namespace Taba.Client.Hosts;

/// <summary>Makes calls of grains again after errors that pass, with growing pauses. Any other error is the answer.</summary>
sealed class CallPatience
{
    readonly ResiliencePipeline _asking;
    readonly Action? _answered;

    /// <param name="passes">Whether the same call may succeed after an error.</param>
    /// <param name="failed">Told of an error that passes, and how many there were in a row.</param>
    /// <param name="answered">Told of every answer.</param>
    public CallPatience(
        Func<Exception, bool> passes, TimeProvider time, Action<Exception, int>? failed = null, Action? answered = null)
    {
        var policy = new RetryPolicy(TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(5)) { MayPass = passes };
        _asking = policy.Pipeline(time, (failure, failures, _) => failed?.Invoke(failure, failures));
        _answered = answered;
    }

    /// <summary>Asks until there is an answer.</summary>
    public async Task<T> AskAsync<T>(Func<Task<T>> ask, CancellationToken cancellationToken)
    {
        var answer = await _asking.ExecuteAsync(async _ => await ask(), cancellationToken);
        _answered?.Invoke();
        return answer;
    }

    /// <summary>The same for a call without a result.</summary>
    public Task AskAsync(Func<Task> ask, CancellationToken cancellationToken) => AskAsync(
        async () =>
        {
            await ask();
            return true;
        }, cancellationToken);

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
                await DropAsync(broken);
                throw;
            }
        }
    }

    /// <summary>A watch that broke off tells its silo so, which may be why it did: what went wrong first is the error.</summary>
    static async Task DropAsync(IAsyncEnumerator<SweepStatus> broken)
    {
        try
        {
            await broken.DisposeAsync();
        }
        catch (Exception)
        {
            // The silo forgets a watch that nobody continues.
        }
    }
}

using Taba.Diffusion.Resilience;

namespace Taba.Diffusion.Weights.Hub;

/// <summary>The patience of a download.</summary>
public sealed record HubRetryOptions
{
    /// <summary>Failures in a row, without a byte between them, after which it is given up. The default value is 6.</summary>
    public int Attempts { get; init; } = 6;

    /// <summary>The pause after the first failure; it doubles with every further one. The default value is 1 second.</summary>
    public TimeSpan FirstPause { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The longest pause. The default value is 1 minute.</summary>
    public TimeSpan LongestPause { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// The longest pause that a server may ask for (Retry-After); one that asks for more is given up. The default value is 5
    /// minutes.
    /// </summary>
    public TimeSpan LongestRetryAfter { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>The time without a byte after which a connection counts as cut. The default value is 1 minute.</summary>
    public TimeSpan Silence { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Told, in a sentence, whenever it waits and why. The default value tells nobody.</summary>
    public Action<string>? Notice { get; init; }
}

/// <summary>A failure that may pass: the connection was cut, or the server asked to come again.</summary>
sealed class TransientException(string message, TimeSpan? retryAfter = null, Exception? inner = null) : Exception(message, inner)
{
    public TimeSpan? RetryAfter { get; } = retryAfter;
}

/// <summary>Tries again what may pass, with growing pauses.</summary>
/// <param name="options">How often and how long.</param>
/// <param name="time">Whose timers make the pauses.</param>
sealed class HubRetry(HubRetryOptions options, TimeProvider time)
{
    public HubRetryOptions Options => options;

    /// <summary>
    /// Runs an attempt until it succeeds. <paramref name="what"/> begins the message when it is given up; an attempt that brought
    /// bytes, as <paramref name="bytesDone"/> counts them, counts as the first failure again.
    /// </summary>
    /// <exception cref="HubException">It was given up.</exception>
    public async Task<T> RunAsync<T>(
        string what, Func<CancellationToken, Task<T>> attempt, Func<long> bytesDone, CancellationToken cancellation)
    {
        var (failures, before) = (0, bytesDone());
        var pauses = new RetryPolicy(options.FirstPause, options.LongestPause) { MayPass = MayPass };
        pauses = pauses with { AskedPause = failure => ((TransientException)failure).RetryAfter ?? pauses.PauseAfter(failures) };
        try
        {
            return await pauses.Pipeline(time, Notice).ExecuteAsync(async token => await attempt(token), cancellation);
        }
        catch (TransientException failure) when (failures >= options.Attempts)
        {
            throw new HubException(HubFault.Network, $"{what} could not be had after {failures} attempts: {failure.Message}.", failure);
        }
        catch (TransientException failure) when (AsksTooMuch(failure))
        {
            throw new HubException(
                HubFault.Network,
                $"{what} could not be had: {failure.Message}, and the server asks to wait {failure.RetryAfter!.Value.TotalSeconds:0} "
                + "seconds.", failure);
        }

        bool MayPass(Exception error)
        {
            if (error is not TransientException failure)
                return false;
            var now = bytesDone();
            failures = now > before ? 1 : failures + 1;
            before = now;
            return failures < options.Attempts && !AsksTooMuch(failure);
        }

        void Notice(Exception failure, int _, TimeSpan pause) =>
            options.Notice?.Invoke($"{what}: {failure.Message}; trying again in {Math.Ceiling(pause.TotalSeconds):0} s.");
    }

    bool AsksTooMuch(TransientException failure) => failure.RetryAfter > options.LongestRetryAfter;
}

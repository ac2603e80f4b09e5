using Polly;
using Polly.Retry;

namespace Taba.Diffusion.Resilience;

/// <summary>A failure that may pass is tried again: how often, after which pauses, and which failures those are.</summary>
/// <param name="FirstPause">The pause after the first failure; it doubles with every further one.</param>
/// <param name="LongestPause">The longest pause.</param>
/// <param name="Tries">Tries in all, 2 or more; left out, it is tried for ever.</param>
public sealed record RetryPolicy(TimeSpan FirstPause, TimeSpan LongestPause, int Tries = int.MaxValue)
{
    /// <summary>The failures after which it is tried again.</summary>
    /// <value>The default value is all of them.</value>
    public Func<Exception, bool> MayPass { get; init; } = static _ => true;

    /// <summary>The pause that a failure asks for; null leaves it to this policy.</summary>
    /// <value>The default value leaves all of them to this policy.</value>
    public Func<Exception, TimeSpan?> AskedPause { get; init; } = static _ => null;

    /// <summary>The pause after so many failures in a row, 1 or more.</summary>
    public TimeSpan PauseAfter(int failures)
    {
        var pause = FirstPause * Math.Pow(2, Math.Min(failures - 1, 30));
        return pause < LongestPause ? pause : LongestPause;
    }

    /// <summary>A pipeline that runs what it is given by this policy. Safe for several threads.</summary>
    /// <param name="time">The clock that makes the pauses.</param>
    /// <param name="notice">Told before each pause: the failure, how many there were in a row, and the pause.</param>
    public ResiliencePipeline Pipeline(TimeProvider time, Action<Exception, int, TimeSpan>? notice = null) =>
        new ResiliencePipelineBuilder { TimeProvider = time }
            .AddRetry(new RetryStrategyOptions
            {
                MaxRetryAttempts = Tries - 1,
                ShouldHandle = args => ValueTask.FromResult(args.Outcome.Exception is { } failure && MayPass(failure)),
                DelayGenerator = args => ValueTask.FromResult<TimeSpan?>(
                    AskedPause(args.Outcome.Exception!) ?? PauseAfter(args.AttemptNumber + 1)),
                OnRetry = args =>
                {
                    notice?.Invoke(args.Outcome.Exception!, args.AttemptNumber + 1, args.RetryDelay);
                    return ValueTask.CompletedTask;
                },
            })
            .Build();
}

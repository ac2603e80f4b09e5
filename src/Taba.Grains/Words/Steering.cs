using Taba.Grains.Sweeps;

namespace Taba.Grains.Words;

/// <summary>The ways in which people change what a sweep does.</summary>
public enum SweepVerb
{
    Pause,
    Resume,
    Cancel,
    Retry,
}

/// <summary>
/// Says when a verb would change nothing. Whoever steers looks at the sweep first and asks this: the calls themselves may come twice.
/// </summary>
public static class Steering
{
    /// <summary>A sentence on why a verb changes nothing; null when it does change something.</summary>
    /// <param name="name">How the sweep is called in the sentence.</param>
    /// <param name="status">How it stands.</param>
    public static string? Refusal(SweepVerb verb, string name, SweepStatus status)
    {
        var state = SweepText.Word(status.State);
        var ended = !status.State.IsLive();
        return verb switch
        {
            SweepVerb.Pause when ended => $"{name} has ended ({state}): there is nothing to pause.",
            SweepVerb.Pause when status.State is SweepState.Paused => $"{name} is paused already.",
            SweepVerb.Resume when status.State is SweepState.Completed => $"{name} is completed: there is nothing to resume.",
            SweepVerb.Resume when ended => $"{name} has ended ({state}): retry goes on with it, resume does not.",
            SweepVerb.Resume when status.State is not SweepState.Paused => $"{name} is not paused: it runs.",
            SweepVerb.Cancel when ended => $"{name} has ended already ({state}).",
            SweepVerb.Retry when status.State is SweepState.Completed => $"{name} is completed: there is nothing to try again.",
            SweepVerb.Retry when status.State is SweepState.Paused && !FailedAny(status) =>
                $"{name} has no failed samples, and is paused: resume goes on.",
            SweepVerb.Retry when status.State is SweepState.Running && !FailedAny(status) =>
                $"{name} has no failed samples so far: there is nothing to try again.",
            _ => null,
        };
    }

    /// <summary>Samples were given up, or a host waits that is asked at once when a sweep is retried.</summary>
    static bool FailedAny(SweepStatus status) =>
        status.SamplesFailed > 0 || status.Fault is not null || !status.Refusals.IsEmpty || !status.Pauses.IsEmpty;
}

using Microsoft.Extensions.Logging;
using Taba.Grains.Faults;
using Taba.Grains.Parts;

namespace Taba.Silo.Engines;

/// <summary>
/// Gives parts back that cannot go on, and insists: a part whose grain did not hear of it looks as if it ran, and its lease would be
/// renewed for ever.
/// </summary>
sealed partial class Abandonment(IGrainFactory grains, SampleReports reports, TimeProvider time, ILogger<Abandonment> logger)
{
    static readonly TimeSpan s_pause = TimeSpan.FromSeconds(2);

    /// <summary>Begins, on a thread of the pool.</summary>
    /// <param name="faultOf">Why; asked again if it fails.</param>
    /// <returns>False when the part is being given back already.</returns>
    public bool TryBegin(ActivePart part, Func<Task<Fault>> faultOf)
    {
        if (!part.TryGiveUp())
            return false;
        reports.Track(Task.Run(() => InsistAsync(part, faultOf)));
        return true;
    }

    async Task InsistAsync(ActivePart part, Func<Task<Fault>> faultOf)
    {
        var attempt = part.Lease.Attempt;
        // A silo that ends gives everything back, and a part that its grain has discarded needs nothing more.
        while (!reports.Draining && !part.IsDisposed)
        {
            try
            {
                await grains.GetGrain<IPartGrain>(attempt.PartKey).AbandonAsync(attempt, await faultOf());
                return;
            }
            catch (Exception exception)
            {
                LogAbandonFailed(logger, attempt, exception);
            }
            await Task.Delay(s_pause, time);
        }
    }

    [LoggerMessage(4002, LogLevel.Warning, "Part {Attempt} could not be abandoned, and is again soon")]
    static partial void LogAbandonFailed(ILogger logger, PartAttempt attempt, Exception exception);
}

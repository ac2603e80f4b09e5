using Taba.Silo.Engines;
using Microsoft.Extensions.Logging;
using Taba.Grains.Faults;
using Taba.Grains.Parts;
using Taba.Grains.Stages;

namespace Taba.Silo.Parts;

/// <summary>
/// Gives the parts of a lost device back, so that the silo's others take them. Their samples may wait for a pass that never ends.
/// </summary>
sealed partial class StrandedParts(ActiveParts parts, IGrainFactory grains, SampleReports reports, ILogger<StrandedParts> logger)
{
    public void GiveBack(EngineTrouble trouble)
    {
        foreach (var part in parts.On(trouble.Device))
        {
            if (part.TryGiveUp())
            {
                var fault = new Fault(FaultOwner.Device, trouble.What) { Rows = part.Lease.Rows, Device = trouble.Device };
                reports.Track(Task.Run(() => AbandonAsync(part.Lease.Attempt, fault)));
            }
        }
    }

    async Task AbandonAsync(PartAttempt attempt, Fault fault)
    {
        try
        {
            await grains.GetGrain<IPartGrain>(attempt.PartKey).AbandonAsync(attempt, fault);
        }
        catch (Exception exception)
        {
            // The worker renews a lease only while its part's grain answers: this part comes free when its lease ends.
            LogAbandonFailed(logger, attempt, exception);
        }
    }

    [LoggerMessage(4108, LogLevel.Warning, "Part {Attempt} could not be abandoned")]
    static partial void LogAbandonFailed(ILogger logger, PartAttempt attempt, Exception exception);
}

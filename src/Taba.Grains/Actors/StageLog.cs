using Microsoft.Extensions.Logging;
using Taba.Grains.Stages;

namespace Taba.Grains.Actors;

/// <summary>What a stage says to whoever runs it.</summary>
static partial class StageLog
{
    public static void Leased(ILogger logger, IEnumerable<PartLease> leases, string worker)
    {
        foreach (var lease in leases)
            Leased(logger, lease.Attempt, lease.Rows, worker);
    }

    [LoggerMessage(2001, LogLevel.Debug, "Leased {Attempt} rows {Rows} to {Worker}")]
    static partial void Leased(ILogger logger, PartAttempt attempt, RowRange rows, string worker);

    [LoggerMessage(2002, LogLevel.Warning, "The lease of {Attempt} to {Worker} ended: {How}")]
    public static partial void Ended(ILogger logger, PartAttempt attempt, string worker, LeaseEnd how);

    [LoggerMessage(2007, LogLevel.Information, "{Attempt} is taken up again: {Worker} works on it")]
    public static partial void Adopted(ILogger logger, PartAttempt attempt, string worker);

    [LoggerMessage(2004, LogLevel.Error, "Sample {Sample} of stage {Stage} is given up: {Reason}")]
    public static partial void GivenUp(ILogger logger, int sample, string stage, string reason);

    [LoggerMessage(2005, LogLevel.Warning, "What stage {Stage} completed could not be written; it is read from the store when need be")]
    public static partial void WriteFailed(ILogger logger, string stage, Exception exception);

    [LoggerMessage(2006, LogLevel.Warning, "Stage {Stage} looked again at rows {Rows}: the store no longer has what it had")]
    public static partial void LookedAgain(ILogger logger, string stage, RowRange rows);

    [LoggerMessage(2003, LogLevel.Error, "Host {Host} failed at stage {Stage} and gets nothing of it for a while: {Fault}")]
    public static partial void HostFailed(ILogger logger, string host, string stage, string fault);
}

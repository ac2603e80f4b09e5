using Microsoft.Extensions.Logging;
using Taba.Grains.Errors;
using Taba.Storage.Manifests;
using Taba.Storage.Objects;

namespace Taba.Silo.Faults;

/// <summary>
/// Remembers the first thing that keeps this silo from going on: a full disk, a store that is gone. A silo of a cluster waits until
/// it is mended; a command ends.
/// </summary>
/// <param name="goesOn">The silo goes on: what failed is tried again.</param>
/// <param name="logger">For whoever runs it.</param>
public sealed partial class FaultMonitor(bool goesOn, ILogger<FaultMonitor> logger)
{
    readonly TaskCompletionSource<Exception> _fault = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when the silo cannot go on; never where it goes on after faults.</summary>
    public Task<Exception> Fault => _fault.Task;

    /// <summary>Reports what failed while doing what.</summary>
    public void Report(Exception exception, string what)
    {
        var cause = StoreFault(exception);
        if (goesOn)
        {
            LogTriedAgain(logger, what, (cause ?? exception).Message);
            return;
        }
        if (cause is not null)
            LogStoreFault(logger, what, cause.Message);
        else
            LogFault(logger, what, exception);
        _fault.TrySetResult(cause ?? exception);
    }

    /// <summary>The store's own error inside whatever a grain call wrapped around it.</summary>
    public static StoreException? StoreFault(Exception? exception) => exception switch
    {
        null => null,
        StoreException store => store,
        CallException { Kind: CallFault.Store } call => new(call.Message, call),
        AggregateException aggregate => aggregate.InnerExceptions.Select(StoreFault).FirstOrDefault(e => e is not null),
        _ => StoreFault(exception.InnerException),
    };

    [LoggerMessage(5003, LogLevel.Error, "Failed, and is tried again: {What}: {Reason}")]
    static partial void LogTriedAgain(ILogger logger, string what, string reason);

    [LoggerMessage(5001, LogLevel.Error, "The silo cannot go on: {What}")]
    static partial void LogFault(ILogger logger, string what, Exception exception);

    [LoggerMessage(5002, LogLevel.Error, "The silo cannot go on: {What}: {Reason}")]
    static partial void LogStoreFault(ILogger logger, string what, string reason);
}

using Microsoft.Extensions.Logging;
using Taba.Silo.Storage;

namespace Taba.Silo.Hosting;

/// <summary>Remembers the first thing that keeps this silo from going on: a full disk, a store that is gone.</summary>
public sealed partial class FaultMonitor(ILogger<FaultMonitor> logger)
{
    readonly TaskCompletionSource<Exception> _fault = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when the silo cannot go on.</summary>
    public Task<Exception> Fault => _fault.Task;

    /// <summary>Reports what failed while doing what.</summary>
    public void Report(Exception exception, string what)
    {
        var cause = StoreFault(exception);
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
        AggregateException aggregate => aggregate.InnerExceptions.Select(StoreFault).FirstOrDefault(e => e is not null),
        _ => StoreFault(exception.InnerException),
    };

    [LoggerMessage(5001, LogLevel.Error, "The silo cannot go on: {What}")]
    static partial void LogFault(ILogger logger, string what, Exception exception);

    [LoggerMessage(5002, LogLevel.Error, "The silo cannot go on: {What}: {Reason}")]
    static partial void LogStoreFault(ILogger logger, string what, string reason);
}

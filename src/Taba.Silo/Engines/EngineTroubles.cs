using Microsoft.Extensions.Logging;
using Taba.Silo.Faults;

namespace Taba.Silo.Engines;

/// <summary>Keeps the first thing that made the device useless to this process.</summary>
sealed partial class EngineTroubles(FaultMonitor faults, ILogger<EngineTroubles> logger)
{
    readonly TaskCompletionSource<EngineTrouble> _trouble = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<EngineTrouble> Trouble => _trouble.Task;

    /// <summary>There was one: nothing new may begin on this device.</summary>
    public bool Any => _trouble.Task.IsCompleted;

    public void Report(EngineTrouble trouble)
    {
        if (!_trouble.TrySetResult(trouble))
            return;
        LogTrouble(logger, trouble.Model, trouble.What);
        faults.Report(new EngineTroubleException(trouble), $"the engine of model {trouble.Model}");
    }

    [LoggerMessage(4104, LogLevel.Critical, "Model {Model}: {What}")]
    static partial void LogTrouble(ILogger logger, string model, string what);
}

/// <summary>The device is of no more use to this process.</summary>
public sealed class EngineTroubleException(EngineTrouble trouble) : Exception(trouble.What)
{
    /// <summary>The trouble with the device.</summary>
    public EngineTrouble Trouble { get; } = trouble;
}

using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Taba.Diffusion;
using Taba.Diffusion.Engine;
using Taba.Silo.Devices;
using Taba.Silo.Faults;
using Taba.Silo.Models;
using Taba.Silo.Telemetry;

namespace Taba.Silo.Engines;

/// <summary>Makes engines on this silo's device, and hears what happens to them.</summary>
sealed partial class EngineLoader(
    DeviceChoice device,
    IEvaluationJournal journal,
    FaultMonitor faults,
    EngineTroubles troubles,
    SpeedMemory speeds,
    IOptions<EngineSettings> settings,
    ILogger<EngineLoader> logger)
{
    /// <summary>The most rows of one forward pass.</summary>
    public int BatchSize => settings.Value.BatchSize ?? device.DefaultBatchSize;

    /// <summary>Loads the model of a stage; takes as long as reading its weights does.</summary>
    /// <param name="key">Names the engine.</param>
    /// <param name="spec">Model, precisions and batch shape.</param>
    /// <param name="faulted">Called when the engine cannot go on and is of no more use.</param>
    public LoadedEngine Load(string key, StageSpec spec, Action faulted)
    {
        var clock = System.Diagnostics.Stopwatch.StartNew();
        var definition = ModelDefinitions.Of(spec.Model);
        var dtype = spec.Precision.Network.ToScalarType();
        var memory = device.MemoryBytes;
        var engine = new DenoisingEngine(
            () => definition.Load(spec.Model.WeightsPath, device.Device, dtype),
            new EngineOptions
            {
                Name = definition.Name,
                // A guided sample takes two rows of the network.
                BatchSize = definition.CanBeGuided ? Math.Max(2, BatchSize) : BatchSize,
                StatePrecision = spec.Precision.State.ToScalarType(),
                Deterministic = spec.Determinism is not null,
                DeterministicBatch = spec.Determinism?.BatchRows ?? BatchSize,
                NetworkPrecision = dtype,
                BatchLimit = speeds.FindLimit(key, device.Kind, memory),
                Journal = journal,
                Events = e => OnEngineEvent(key, memory, faulted, e),
            });
        SiloInstruments.ModelsUnloaded.Add(0, new KeyValuePair<string, object?>("taba.model", definition.Name));
        SiloInstruments.ModelLoad.Record(clock.Elapsed.TotalSeconds, SiloInstruments.ModelOn(definition.Name, device.Device.ToString()));
        LogLoaded(logger, definition.Name, device.Kind, clock.Elapsed.TotalSeconds);
        return new LoadedEngine(key, definition, engine, new SegmentPace(settings.Value.CheckpointEvery));
    }

    void OnEngineEvent(string key, long memory, Action faulted, EngineEvent e)
    {
        switch (e)
        {
            case BatchLimitLowered lowered:
                LogOutOfMemory(logger, lowered.Engine, lowered.Rows, lowered.Limit);
                // Not on the engine's thread: it is a file.
                Task.Run(() => speeds.AddLimit(key, device.Kind, memory, lowered.Limit)).Ignore();
                break;
            // A part that cannot go on says so once.
            case TrajectoryFailed failed when SampleFaults.OfPart(failed.Error) is null:
                LogTrajectoryFailed(logger, failed.Engine, failed.Tag, failed.Step, failed.Error);
                break;
            case EngineFaulted { Error: DeviceBrokenException broken }:
                troubles.Report(new(EngineTroubleKind.DeviceBroken, e.Engine, broken.Message));
                break;
            case EngineFaulted fault:
                faulted();
                faults.Report(fault.Error, $"the engine of model {fault.Engine}");
                break;
        }
    }

    [LoggerMessage(4101, LogLevel.Information, "Loaded model {Model} on {Device} in {Seconds:F2} s")]
    static partial void LogLoaded(ILogger logger, string model, string device, double seconds);

    [LoggerMessage(4102, LogLevel.Warning, "Model {Model} ran out of memory with {Rows} rows; from now on at most {Limit}")]
    static partial void LogOutOfMemory(ILogger logger, string model, int rows, int limit);

    [LoggerMessage(4103, LogLevel.Error, "Model {Model}: {Trajectory} failed at step {Step}")]
    static partial void LogTrajectoryFailed(ILogger logger, string model, object? trajectory, int step, Exception exception);
}

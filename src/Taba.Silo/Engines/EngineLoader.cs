using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Taba.Diffusion;
using Taba.Diffusion.Engine;
using Taba.Diffusion.Native;
using Taba.Silo.Devices;
using Taba.Silo.Faults;
using Taba.Silo.Models;
using Taba.Silo.Telemetry;

namespace Taba.Silo.Engines;

/// <summary>Makes engines on this silo's devices, and hears what happens to them.</summary>
sealed partial class EngineLoader(
    SiloDevices devices, INetworks networks, DevicesInTurn turns, BatchSizes batches, IEvaluationJournal journal, EngineTroubles troubles,
    SpeedMemory speeds, IOptions<EngineSettings> settings, ILogger<EngineLoader> logger)
{
    /// <summary>The most rows of one forward pass of an engine whose network nobody has looked at.</summary>
    public int BatchSize => settings.Value.BatchSize ?? devices.DefaultBatchSize;

    /// <summary>Loads the model of a stage; takes as long as reading its weights does.</summary>
    /// <param name="device">Where.</param>
    /// <param name="key">Names the engine.</param>
    /// <param name="spec">Model, precisions and batch shape.</param>
    /// <param name="ended">Called when the engine cannot go on and is of no more use.</param>
    /// <exception cref="EngineStoppedException">The model cannot be loaded there.</exception>
    public async Task<LoadedEngine> LoadAsync(DeviceChoice device, string key, StageSpec spec, Action ended)
    {
        var clock = System.Diagnostics.Stopwatch.StartNew();
        var definition = ModelDefinitions.Of(spec.Model);
        var dtype = spec.Precision.Network.ToScalarType();
        var memory = device.MemoryBytes;
        var loaded = false;
        var engine = new DenoisingEngine(
            () =>
            {
                if (device.ThreadsOf(bitsCount: spec.Determinism is not null) is { } threads)
                    ProcessorThreads.Use(threads);
                return networks.Load(definition, spec, device);
            },
            new EngineOptions
            {
                Name = definition.Name,
                DeviceName = device.Name,
                // A guided sample takes two rows of the network.
                BatchSize = definition.CanBeGuided ? Math.Max(2, BatchSize) : BatchSize,
                ChooseBatch = batches.ChooserOf(definition, key, device),
                StatePrecision = spec.Precision.State.ToScalarType(),
                Deterministic = spec.Determinism is not null,
                DeterministicBatch = spec.Determinism?.BatchRows ?? BatchSize,
                NetworkPrecision = dtype,
                BatchLimit = speeds.FindLimit(key, device.Kind, memory),
                // Where bits count, a processor's engine has one thread, and others do not hinder it.
                Turns = spec.Determinism is null || device.IsCuda ? turns.Of(device) : null,
                Journal = journal,
                Events = OnEngineEvent,
            });
        await engine.Ready;
        Volatile.Write(ref loaded, true);
        SiloInstruments.ModelsUnloaded.Add(0, new KeyValuePair<string, object?>("taba.model", definition.Name));
        SiloInstruments.ModelLoad.Record(clock.Elapsed.TotalSeconds, SiloInstruments.ModelOn(definition.Name, device.Name));
        LogLoaded(logger, definition.Name, device.Name, clock.Elapsed.TotalSeconds);
        return new LoadedEngine(definition, engine, new SegmentPace(settings.Value.CheckpointEvery));

        void OnEngineEvent(EngineEvent e)
        {
            switch (e)
            {
                case BatchLimitLowered lowered:
                    LogOutOfMemory(logger, lowered.Engine, device.Name, lowered.Rows, lowered.Limit);
                    // Not on the engine's thread: it is a file.
                    Task.Run(() => speeds.AddLimit(key, device.Kind, memory, lowered.Limit)).Ignore();
                    break;
                case TrajectoryFailed { Error: PassFailedException failed }:
                    troubles.TryMistrust(device.Name, key, e.Engine, failed.Message);
                    break;
                // A part that cannot go on says so once.
                case TrajectoryFailed failed when FaultOwners.Known(failed.Error, default) is null:
                    LogTrajectoryFailed(logger, failed.Engine, failed.Tag, failed.Step, failed.Error);
                    break;
                case EngineFaulted { Error: DeviceBrokenException broken }:
                    troubles.Report(new(EngineTroubleKind.DeviceBroken, device.Name, e.Engine, broken.Message));
                    break;
                // One that never began is the affair of whoever wanted it: another device may do.
                case EngineFaulted fault when Volatile.Read(ref loaded):
                    ended();
                    troubles.EngineEnded(device.Name, key, e.Engine, fault.Error);
                    break;
            }
        }
    }

    [LoggerMessage(4101, LogLevel.Information, "Loaded model {Model} on {Device} in {Seconds:F2} s")]
    static partial void LogLoaded(ILogger logger, string model, string device, double seconds);

    [LoggerMessage(4102, LogLevel.Warning, "Model {Model} on {Device} ran out of memory with {Rows} rows; from now on at most {Limit}")]
    static partial void LogOutOfMemory(ILogger logger, string model, string device, int rows, int limit);

    [LoggerMessage(4103, LogLevel.Error, "Model {Model}: {Trajectory} failed at step {Step}")]
    static partial void LogTrajectoryFailed(ILogger logger, string model, object? trajectory, int step, Exception exception);
}

using System.Collections.Concurrent;
using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Taba.Diffusion;
using Taba.Diffusion.Engine;
using Taba.Grains.Ports;
using Taba.Grains.Stages;
using Taba.Silo.Checkpoints;
using Taba.Silo.Hosting;
using Taba.Silo.Models;
using Taba.Silo.Telemetry;
using static TorchSharp.torch;

namespace Taba.Silo.Engines;

/// <summary>The engines of this silo: one for each model, precision and batch shape, loaded when first needed and once.</summary>
sealed partial class EngineHost(
    DeviceChoice device,
    ActiveParts parts,
    ICheckpointStore checkpoints,
    IGrainFactory grains,
    IEvaluationJournal journal,
    FaultMonitor faults,
    EngineTroubles troubles,
    SpeedMemory speeds,
    IOptions<EngineSettings> settings,
    ILogger<EngineHost> logger) : IEngineHost, IEngineCapacity, IAsyncDisposable
{
    readonly ConcurrentDictionary<string, Lazy<Task<LoadedEngine>>> _engines = new();
    readonly ConcurrentDictionary<Guid, (DenoisingEngine Engine, SegmentPace Pace, string Model)> _byIncarnation = new();
    readonly ConcurrentDictionary<Task, bool> _reports = new();
    readonly ConcurrentBag<(string EngineKey, EngineStatistics Statistics)> _unloaded = [];
    readonly Lock _idle = new();
    volatile bool _draining;

    public int SegmentSteps => settings.Value.CheckpointEverySteps ?? SegmentPace.MostSteps;

    public bool CanWork => !troubles.Any;

    /// <summary>The pass that each engine is in at this moment, and its turns so far.</summary>
    public ImmutableArray<EngineHeartbeat> Heartbeats =>
    [
        .. _byIncarnation.Values.Where(e => !e.Engine.Completion.IsCompleted).Select(e =>
        {
            var pass = e.Engine.PassUnderWay;
            return new EngineHeartbeat(e.Model, pass?.Elapsed, pass?.Rows ?? 0, pass?.Step ?? 0, e.Engine.Statistics.Turns);
        }),
    ];

    public int Slots => 2 * BatchSize;

    public int BatchSize => settings.Value.BatchSize ?? device.DefaultBatchSize;

    public string EngineKey(StageSpec spec) => StageEngine.Of(spec);

    public bool IsLoaded(string engineKey) => _engines.ContainsKey(engineKey);

    /// <summary>Loads the model of a stage unless it is loaded. The caller releases the engine.</summary>
    public async Task<LoadedEngine> AcquireAsync(StageSpec spec)
    {
        while (true)
        {
            if (troubles.Any)
                throw new EngineTroubleException(await troubles.Trouble);
            var engine = await EnsureAsync(spec);
            lock (_idle)
            {
                // Between the two it may have been unloaded for another.
                if (!_byIncarnation.ContainsKey(engine.Engine.Incarnation))
                    continue;
                engine.Acquire();
                return engine;
            }
        }
    }

    async Task<LoadedEngine> EnsureAsync(StageSpec spec)
    {
        var key = EngineKey(spec);
        if (!_engines.ContainsKey(key))
            await UnloadIdleAsync();
        var engine = _engines.GetOrAdd(key, k => new(() => Task.Factory.StartNew(
            () => Load(k, spec), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)));
        try
        {
            return await engine.Value;
        }
        catch
        {
            // A model that could not be loaded may be loaded later, when its file is mended.
            _engines.TryRemove(new(key, engine));
            throw;
        }
    }

    /// <summary>Makes room for one more model.</summary>
    async Task UnloadIdleAsync()
    {
        while (true)
        {
            LoadedEngine engine;
            lock (_idle)
            {
                var idle = _engines.Count < settings.Value.MaxModels ? null : _engines.Values
                    .Where(e => e is { IsValueCreated: true, Value: { IsCompletedSuccessfully: true, Result.IsIdle: true } })
                    .MinBy(e => e.Value.Result.LastUse);
                if (idle is null)
                    return;
                engine = idle.Value.Result;
                _engines.TryRemove(new(engine.Key, idle));
                _unloaded.Add((engine.Key, engine.Engine.Statistics));
                _byIncarnation.TryRemove(engine.Engine.Incarnation, out _);
            }
            await engine.Engine.DisposeAsync();
            LogUnloaded(logger, engine.Definition.Name);
        }
    }

    public SlotHandle Open(PartAttempt attempt, int sample)
    {
        var part = parts.Get(attempt);
        var spec = part.Lease.Spec;
        var row = part.Row(sample);
        var start = part.Starts[row];
        var forward = spec.Forward is not null && !start.FromCheckpoint ? part.ForwardNoise : null;
        return part.Engine.Engine.Open(new TrajectoryRequest
        {
            Schedule = part.Schedule,
            Direction = part.Direction,
            FirstStep = start.Step,
            State = start.State,
            ForwardNoise = forward?.AsMemory(row * part.RowBytes, part.RowBytes),
            ForwardAlphaBar = forward is null ? 0 : part.Schedule.ForwardAlphaBar(spec.Forward!.Before),
            ClassLabel = part.Labels?[row],
            Text = part.Prompts?[row],
            NullText = part.NullPrompt,
            Guidance = spec.Guidance,
            Swap = spec.Swap?.Kind,
            SwapBefore = spec.Swap?.Before ?? 0,
            SwapRow = part.Swap is { } swap ? step => swap.Row(sample, step) : null,
            Captures = part.Lease.Keep.IsEmpty ? null : part.Lease.Keep.At,
            Tag = new EvaluationTag(attempt.StageKey, sample, part),
            Observer = new SampleObserver(part, sample, checkpoints, grains, this, faults, logger),
        });
    }

    public void RunSegment(SlotHandle slot, int steps)
    {
        var (engine, pace, _) = Engine(slot);
        var most = settings.Value.CheckpointEverySteps ?? pace.Steps(engine.Statistics);
        engine.RunSegment(slot, Math.Min(steps, most));
    }

    public void Close(SlotHandle slot)
    {
        if (_byIncarnation.TryGetValue(slot.Incarnation, out var found))
            found.Engine.Close(new(slot.Incarnation, slot.Index));
    }

    /// <summary>Statistics of every engine, unloaded ones too.</summary>
    public IReadOnlyList<EngineStatistics> Statistics => [.. _byIncarnation.Values.Select(e => e.Engine.Statistics), .. _unloaded.Select(e => e.Statistics)];

    /// <summary>The same by engine.</summary>
    public IReadOnlyList<(string EngineKey, EngineStatistics Statistics)> StatisticsByEngine =>
    [
        .. _engines.Values.Where(e => e.IsValueCreated && e.Value.IsCompletedSuccessfully).Select(e => (e.Value.Result.Key, e.Value.Result.Engine.Statistics)),
        .. _unloaded,
    ];

    public bool Draining => _draining;

    /// <summary>Remembers the report of a segment's end until it is done; reports do not fail.</summary>
    public void Track(Task report)
    {
        if (report.IsCompleted)
            return;
        _reports[report] = true;
        report.ContinueWith(
            static (done, reports) => ((ConcurrentDictionary<Task, bool>)reports!).TryRemove(done, out _), _reports,
            CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    /// <summary>Completes when all that the engines said so far has reached those whom it concerns.</summary>
    public Task ReportsAsync() => Task.WhenAll(_reports.Keys);

    /// <summary>Lets running segments end and accepts no new ones. Their checkpoints are on their way to the disk afterwards.</summary>
    public async Task DrainAsync()
    {
        _draining = true;
        await Task.WhenAll(_byIncarnation.Values.Select(e => e.Engine.DrainAsync()));
        await ReportsAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var (engine, _, _) in _byIncarnation.Values)
        {
            // A thread that hangs in a driver does not end; the process does.
            if (engine.PassUnderWay is null || !troubles.Any)
                await engine.DisposeAsync();
        }
        _byIncarnation.Clear();
        _engines.Clear();
    }

    (DenoisingEngine Engine, SegmentPace Pace, string Model) Engine(SlotHandle slot) => _byIncarnation.TryGetValue(slot.Incarnation, out var found)
        ? found
        : throw new ObjectDisposedException(nameof(DenoisingEngine), $"Slot {slot.Index} belongs to an engine that is gone.");

    LoadedEngine Load(string key, StageSpec spec)
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
                Events = e => OnEngineEvent(key, memory, e),
            });
        _byIncarnation[engine.Incarnation] = (engine, new SegmentPace(settings.Value.CheckpointEvery), definition.Name);
        SiloInstruments.ModelLoads.Add(1);
        LogLoaded(logger, definition.Name, device.Kind, clock.Elapsed.TotalSeconds);
        return new LoadedEngine(key, definition, engine);
    }

    void OnEngineEvent(string key, long memory, EngineEvent e)
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
            case EngineFaulted faulted:
                // It is of no more use; the next part that needs the model loads it anew.
                _engines.TryRemove(key, out _);
                faults.Report(faulted.Error, $"the engine of model {faulted.Engine}");
                break;
        }
    }

    [LoggerMessage(4101, LogLevel.Information, "Loaded model {Model} on {Device} in {Seconds:F2} s")]
    static partial void LogLoaded(ILogger logger, string model, string device, double seconds);

    [LoggerMessage(4105, LogLevel.Information, "Unloaded model {Model}: others are needed")]
    static partial void LogUnloaded(ILogger logger, string model);

    [LoggerMessage(4102, LogLevel.Warning, "Model {Model} ran out of memory with {Rows} rows; from now on at most {Limit}")]
    static partial void LogOutOfMemory(ILogger logger, string model, int rows, int limit);

    [LoggerMessage(4103, LogLevel.Error, "Model {Model}: {Trajectory} failed at step {Step}")]
    static partial void LogTrajectoryFailed(ILogger logger, string model, object? trajectory, int step, Exception exception);
}

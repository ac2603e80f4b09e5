using System.Collections.Immutable;
using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Taba.Diffusion.Engine;
using Taba.Grains.Models;
using Taba.Grains.Ports;
using Taba.Grains.Silos;
using Taba.Grains.Stages;
using Taba.Silo.Devices;
using Taba.Silo.Telemetry;

namespace Taba.Silo.Engines;

/// <summary>
/// A place for one model on one device. Its grain fills it and empties it; parts wait here for the engine, and slots are opened on
/// whichever engine is there.
/// </summary>
sealed partial class ModelEngine(
    DeviceChoice device, string key, EngineLoader loader, SlotRequests requests, EngineTroubles troubles,
    IWorkSignal signal, IOptions<EngineSettings> settings, ILogger<ModelEngine> logger) : IModelEngine
{
    readonly Lock _gate = new();
    ImmutableList<EngineStatistics> _past = [];
    TaskCompletionSource<LoadedEngine>? _place;
    Task<LoadedEngine>? _failed;
    string _model = "";
    // Of loads that have ended, and when the one under way began; 0 when none is.
    long _loadTicks;
    long _loadingSince;
    int _loads;

    public DeviceChoice Device => device;

    /// <summary>Model, precisions and batch shape.</summary>
    public string Key => key;

    /// <summary>The engine that is there; null before, after and between.</summary>
    public LoadedEngine? Engine =>
        Volatile.Read(ref _place) is { Task: { IsCompletedSuccessfully: true, Result: var loaded } } ? loaded : null;

    /// <summary>It is there, or on its way.</summary>
    public bool IsResident => Volatile.Read(ref _place) is not null;

    /// <summary>What every engine that was here did.</summary>
    public IReadOnlyList<EngineStatistics> Statistics
    {
        get
        {
            lock (_gate)
                return Engine is { } loaded ? _past.Add(loaded.Engine.Statistics) : _past;
        }
    }

    /// <summary>The pass that the engine is in; null when there is no engine.</summary>
    public EngineHeartbeat? Heartbeat
    {
        get
        {
            if (Engine is not { Engine: { Completion.IsCompleted: false } engine })
                return null;
            var pass = engine.PassUnderWay;
            return new(device.Name, _model, pass?.Elapsed, pass?.Rows ?? 0, pass?.Step ?? 0, engine.Statistics.Turns);
        }
    }

    public EngineStatus Status
    {
        get
        {
            var now = Engine?.Engine;
            var done = Statistics;
            var at = now?.Statistics;
            return new(
                _model, now is not null ? EngineResidency.Loaded : IsResident ? EngineResidency.Loading : EngineResidency.Unloaded,
                at?.Slots ?? 0, at?.SlotsInUse ?? 0, at?.Pending ?? 0, at?.BatchLimit ?? 0, done.Sum(s => s.Evaluations),
                done.Sum(s => s.Turns), now?.PassUnderWay?.Elapsed,
                troubles.Of(device.Name)?.What ?? troubles.Mistrusts(device.Name, key));
        }
    }

    /// <summary>Its model's name; that of one that is on its way.</summary>
    public string Model => Volatile.Read(ref _model);

    /// <summary>What the time of every engine that was here went to, as far as it is known now.</summary>
    public DeviceTimes Times
    {
        get
        {
            var done = Statistics;
            // Read afterwards: a pass that ends in between is missing for once, and none counts twice.
            var pass = Engine?.Engine.PassUnderWay?.Elapsed ?? TimeSpan.Zero;
            var since = Interlocked.Read(ref _loadingSince);
            var loading = Stopwatch.GetElapsedTime(0, Interlocked.Read(ref _loadTicks))
                + (since == 0 ? TimeSpan.Zero : Stopwatch.GetElapsedTime(since));
            return new(
                done.Sum(s => s.NetworkTime.TotalSeconds) + pass.TotalSeconds, done.Sum(s => s.OverheadTime.TotalSeconds),
                done.Sum(s => s.OutputWaitTime.TotalSeconds), done.Sum(s => s.LingerTime.TotalSeconds), loading.TotalSeconds);
        }
    }

    /// <summary>Engines that were loaded here.</summary>
    public int Loads => Volatile.Read(ref _loads);

    public bool TryReserve() =>
        Interlocked.CompareExchange(ref _place, new(TaskCreationOptions.RunContinuationsAsynchronously), null) is null;

    /// <summary>The engine, when it is loaded.</summary>
    /// <exception cref="EngineStoppedException">It could not be loaded, or has ended; the message says why.</exception>
    public Task<LoadedEngine> WhenLoadedAsync() =>
        Volatile.Read(ref _place)?.Task ?? Volatile.Read(ref _failed) ?? Task.FromException<LoadedEngine>(Gone());

    public Task LoadAsync(StageSpec spec)
    {
        var place = Volatile.Read(ref _place);
        return place is null ? Task.CompletedTask : Task.Run(async () =>
        {
            var began = Stopwatch.GetTimestamp();
            Interlocked.Exchange(ref _loadingSince, began);
            Volatile.Write(ref _model, spec.Model.Name ?? Path.GetFileName(spec.Model.Path));
            try
            {
                var loaded = await loader.LoadAsync(device, key, spec, Ended);
                _model = loaded.Definition.Name;
                Interlocked.Increment(ref _loads);
                Volatile.Write(ref _failed, null);
                place.SetResult(loaded);
                // Its batches may be larger than what was asked for so far.
                signal.Wake();
                // What ended before anyone could be told.
                if (loaded.Engine.Completion.IsFaulted)
                    Ended();
            }
            catch (Exception exception)
            {
                place.SetException(exception);
                // Whoever waits gets the error, also one who comes too late to wait; that nobody waits is no second one.
                _ = place.Task.Exception;
                Volatile.Write(ref _failed, place.Task);
                Interlocked.CompareExchange(ref _place, null, place);
            }
            finally
            {
                Interlocked.Exchange(ref _loadingSince, 0);
                Interlocked.Add(ref _loadTicks, Stopwatch.GetTimestamp() - began);
            }
        });
    }

    public async Task UnloadAsync()
    {
        if (Take() is not { } loaded)
            return;
        await loaded.Engine.DisposeAsync();
        SiloInstruments.ModelsUnloaded.Add(1, new KeyValuePair<string, object?>("taba.model", _model));
        LogUnloaded(logger, _model, device.Name);
    }

    public SlotHandle Open(PartAttempt attempt, int sample) => (Engine ?? throw Gone()).Engine.Open(requests.Of(attempt, sample));

    public void RunSegment(SlotHandle slot, int steps)
    {
        if (Engine is not { } loaded || loaded.Engine.Incarnation != slot.Incarnation)
            throw new ObjectDisposedException(nameof(DenoisingEngine), $"Slot {slot.Index} belongs to an engine that is gone.");
        var most = settings.Value.CheckpointEverySteps ?? loaded.Pace.Steps(loaded.Engine.Statistics);
        loaded.Engine.RunSegment(slot, Math.Min(steps, most));
    }

    public void Close(SlotHandle slot)
    {
        if (Engine is { } loaded && loaded.Engine.Incarnation == slot.Incarnation)
            loaded.Engine.Close(slot);
    }

    /// <summary>Lets running segments end and accepts no new ones.</summary>
    public Task DrainAsync() => Engine?.Engine.DrainAsync() ?? Task.CompletedTask;

    /// <summary>Ends the engine with the silo. A thread that hangs in a driver does not end; the process does.</summary>
    public async Task EndAsync()
    {
        if (Volatile.Read(ref _place) is { } place)
            await place.Task.ContinueWith(
                static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        if (Engine?.Engine is { } engine && (troubles.Works(device.Name) || engine.PassUnderWay is null))
            await engine.DisposeAsync();
    }

    /// <summary>After a fault it is of no more use; the next part that needs the model has it loaded anew.</summary>
    void Ended() => Take();

    LoadedEngine? Take()
    {
        lock (_gate)
        {
            if (Engine is not { } loaded)
                return null;
            _past = _past.Add(loaded.Engine.Statistics);
            _place = null;
            return loaded;
        }
    }

    EngineStoppedException Gone() => new($"The engine of {(_model == "" ? key : _model)} on {device.Name} is not there any more.");

    [LoggerMessage(4105, LogLevel.Information, "Unloaded model {Model} from {Device}: others are needed")]
    static partial void LogUnloaded(ILogger logger, string model, string device);
}

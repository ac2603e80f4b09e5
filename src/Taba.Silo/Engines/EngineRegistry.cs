using System.Collections.Concurrent;
using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Taba.Diffusion.Engine;
using Taba.Silo.Telemetry;

namespace Taba.Silo.Engines;

/// <summary>The engines of this silo: one for each model, precision and batch shape, loaded when first needed and once.</summary>
sealed partial class EngineRegistry(
    EngineLoader loader, EngineTroubles troubles, IOptions<EngineSettings> settings, ILogger<EngineRegistry> logger) : IAsyncDisposable
{
    readonly ConcurrentDictionary<string, Lazy<Task<LoadedEngine>>> _engines = new();
    readonly ConcurrentDictionary<Guid, LoadedEngine> _byIncarnation = new();
    readonly ConcurrentBag<(string EngineKey, EngineStatistics Statistics)> _unloaded = [];
    readonly Lock _idle = new();

    /// <summary>The pass that each engine is in at this moment, and its turns so far.</summary>
    public ImmutableArray<EngineHeartbeat> Heartbeats =>
    [
        .. _byIncarnation.Values.Where(e => !e.Engine.Completion.IsCompleted).Select(e =>
        {
            var pass = e.Engine.PassUnderWay;
            return new EngineHeartbeat(e.Definition.Name, pass?.Elapsed, pass?.Rows ?? 0, pass?.Step ?? 0, e.Engine.Statistics.Turns);
        }),
    ];

    /// <summary>Statistics of every engine, unloaded ones too.</summary>
    public IReadOnlyList<EngineStatistics> Statistics =>
        [.. _byIncarnation.Values.Select(e => e.Engine.Statistics), .. _unloaded.Select(e => e.Statistics)];

    /// <summary>The same by engine.</summary>
    public IReadOnlyList<(string EngineKey, EngineStatistics Statistics)> StatisticsByEngine =>
    [
        .. _engines.Values.Where(e => e.IsValueCreated && e.Value.IsCompletedSuccessfully).Select(
            e => (e.Value.Result.Key, e.Value.Result.Engine.Statistics)),
        .. _unloaded,
    ];

    /// <summary>True when an engine is loaded, or is about to be.</summary>
    public bool IsLoaded(string engineKey) => _engines.ContainsKey(engineKey);

    /// <summary>The engine of a slot; null when it is gone.</summary>
    public LoadedEngine? Find(SlotHandle slot) => _byIncarnation.GetValueOrDefault(slot.Incarnation);

    /// <summary>Loads the model of a stage unless it is loaded. The caller releases the engine.</summary>
    /// <exception cref="EngineTroubleException">The device hangs or is broken.</exception>
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

    /// <summary>Lets running segments end and accepts no new ones.</summary>
    public Task DrainAsync() => Task.WhenAll(_byIncarnation.Values.Select(e => e.Engine.DrainAsync()));

    public async ValueTask DisposeAsync()
    {
        foreach (var loaded in _byIncarnation.Values)
        {
            // A thread that hangs in a driver does not end; the process does.
            if (loaded.Engine.PassUnderWay is null || !troubles.Any)
                await loaded.Engine.DisposeAsync();
        }
        _byIncarnation.Clear();
        _engines.Clear();
    }

    async Task<LoadedEngine> EnsureAsync(StageSpec spec)
    {
        var key = StageEngine.Of(spec);
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

    LoadedEngine Load(string key, StageSpec spec)
    {
        // After a fault it is of no more use; the next part that needs the model loads it anew.
        var loaded = loader.Load(key, spec, faulted: () => _engines.TryRemove(key, out _));
        _byIncarnation[loaded.Engine.Incarnation] = loaded;
        return loaded;
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
            SiloInstruments.ModelsUnloaded.Add(1, new KeyValuePair<string, object?>("taba.model", engine.Definition.Name));
            LogUnloaded(logger, engine.Definition.Name);
        }
    }

    [LoggerMessage(4105, LogLevel.Information, "Unloaded model {Model}: others are needed")]
    static partial void LogUnloaded(ILogger logger, string model);
}

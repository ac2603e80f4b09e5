using Microsoft.Extensions.Logging;
using Orleans.Concurrency;
using Orleans.GrainDirectory;
using Taba.Grains.Models;
using Taba.Grains.Placement;
using Taba.Grains.Ports;
using Taba.Grains.Stages;

namespace Taba.Grains.Actors;

/// <summary>
/// Owns an engine: which parts need it, when it is loaded, and when it makes room for another. Loading runs beside the grain; whoever needs
/// the engine waits for it where it works, not here.
/// </summary>
[Reentrant, PinnedToSilo, GrainDirectory(SiloGrainDirectory.Name)]
sealed partial class ModelGrain(IModelEngines engines, ILocalSiloDetails silo, TimeProvider time, ILogger<ModelGrain> logger)
    : Grain, IModelGrain
{
    /// <summary>An idle engine stays until its room is needed; its grain stays with it.</summary>
    static readonly TimeSpan s_stays = TimeSpan.FromDays(1);

    readonly HashSet<PartAttempt> _parts = [];
    ModelAddress _address;
    IModelEngine _engine = null!;
    Task _unloading = Task.CompletedTask;
    long _lastUse;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _address = PinnedToSiloPlacement.ModelOf(this.GetPrimaryKeyString());
        _engine = engines.Get(_address);
        _lastUse = time.GetTimestamp();
        return Task.CompletedTask;
    }

    public ValueTask AcquireAsync(PartAttempt attempt, StageSpec spec)
    {
        DelayDeactivation(s_stays);
        _parts.Add(attempt);
        if (_engine.TryReserve())
            LoadAsync(spec).Ignore();
        return ValueTask.CompletedTask;
    }

    public ValueTask ReleaseAsync(PartAttempt attempt)
    {
        if (_parts.Remove(attempt))
            _lastUse = time.GetTimestamp();
        return ValueTask.CompletedTask;
    }

    public async Task<bool> UnloadAsync()
    {
        if (_parts.Count > 0)
            return false;
        if (_unloading.IsCompleted && _engine.Status.Residency == EngineResidency.Loaded)
            _unloading = _engine.UnloadAsync();
        await _unloading;
        return true;
    }

    public ValueTask<SlotHandle> OpenAsync(PartAttempt attempt, int sample) => new(_engine.Open(attempt, sample));

    public ValueTask RunSegmentAsync(SlotHandle slot, int steps)
    {
        _engine.RunSegment(slot, steps);
        return ValueTask.CompletedTask;
    }

    public ValueTask CloseAsync(SlotHandle slot)
    {
        _engine.Close(slot);
        return ValueTask.CompletedTask;
    }

    public ValueTask<ModelStatus> GetStatusAsync() => new(
        new ModelStatus(_engine.Status, _parts.Count, _parts.Count > 0 ? TimeSpan.Zero : time.GetElapsedTime(_lastUse)));

    async Task LoadAsync(StageSpec spec)
    {
        // Not within the request: grains of one silo that call each other at once before their request's first wait have been seen to block
        // for ever (docs/design/devices.md).
        await Task.Yield();
        try
        {
            await _unloading;
            await MakeRoomAsync();
        }
        catch (Exception exception)
        {
            // A model too many is a lesser evil than a part that waits for ever.
            LogNoRoom(logger, _address, exception);
        }
        await _engine.LoadAsync(spec);
    }

    /// <summary>Has the models unloaded that were idle longest, as long as there are more than may stay.</summary>
    async Task MakeRoomAsync()
    {
        var tooMany = engines.Resident(_address.Device).Length - engines.MaxModels;
        if (tooMany <= 0)
            return;
        var others = engines.Resident(_address.Device).Where(engine => engine != _address.Engine)
            .Select(engine => GrainFactory.GetGrain<IModelGrain>(
                PinnedToSiloPlacement.Key(silo.SiloAddress, _address with { Engine = engine })))
            .ToList();
        var idle = await Task.WhenAll(others.Select(async model => (Model: model, Status: await model.GetStatusAsync())));
        foreach (var (model, _) in idle.Where(m => m.Status.Parts == 0).OrderByDescending(m => m.Status.IdleFor))
        {
            if (tooMany <= 0)
                return;
            if (await model.UnloadAsync())
                tooMany--;
        }
    }

    [LoggerMessage(3301, LogLevel.Warning, "No room was made for {Model}; it is loaded all the same")]
    static partial void LogNoRoom(ILogger logger, ModelAddress model, Exception exception);
}

using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Diagnostics;
using Taba.Grains.Models;
using Taba.Grains.Silos;
using Taba.Silo.Devices;

namespace Taba.Silo.Engines;

/// <summary>A device of this silo: its engines, its autoencoders, and how much it has to do.</summary>
sealed class EngineDevice : IAsyncDisposable
{
    readonly ConcurrentDictionary<string, ModelEngine> _engines = new();
    readonly DeviceChoice _choice;
    readonly Func<DeviceChoice, string, ModelEngine> _makeEngine;
    readonly int _defaultBatch;

    public EngineDevice(
        DeviceChoice choice, int defaultBatch, Func<DeviceChoice, string, ModelEngine> makeEngine, AutoencoderHost autoencoders)
    {
        (_choice, _defaultBatch, _makeEngine, Autoencoders) = (choice, defaultBatch, makeEngine, autoencoders);
        Rows = new(() => BatchSize);
    }

    public string Name => _choice.Name;

    public string Kind => _choice.Kind;

    public AutoencoderHost Autoencoders { get; }

    /// <summary>The places of its engines, those that are empty now too.</summary>
    public ICollection<ModelEngine> Engines => _engines.Values;

    /// <summary>Engines that are loaded, or on their way.</summary>
    public ImmutableArray<string> Resident => [.. _engines.Values.Where(e => e.IsResident).Select(e => e.Key)];

    /// <summary>The most rows of a forward pass of the engines that are loaded; the default where none is.</summary>
    public int BatchSize => _engines.Values.Max(e => e.Engine?.Engine.BatchSize) ?? _defaultBatch;

    /// <summary>Rows of parts that step here, and of those that are about to.</summary>
    public DeviceLoad Rows { get; }

    /// <summary>Parts that pass through its autoencoders, and those that are about to.</summary>
    public DeviceLoad AutoencoderParts { get; } = new(() => 1);

    /// <summary>An engine is loaded, or on its way.</summary>
    public bool Has(string engine) => _engines.TryGetValue(engine, out var place) && place.IsResident;

    /// <summary>The place of an engine.</summary>
    public ModelEngine Engine(string engine) => _engines.GetOrAdd(engine, key => _makeEngine(_choice, key));

    /// <summary>How it fares.</summary>
    /// <param name="trouble">Why it does not work; null when it does.</param>
    public DeviceFare Fare(string? trouble)
    {
        var (times, there) = (new DeviceTimes { Network = Autoencoders.NetworkTime.TotalSeconds }, new List<EngineStatus>());
        foreach (var engine in _engines.Values)
        {
            var more = engine.Times;
            times = new(
                times.Network + more.Network, times.Overhead + more.Overhead, times.OutputWait + more.OutputWait,
                times.Linger + more.Linger, times.Loading + more.Loading);
            there.Add(engine.Status);
        }
        return new(Name, trouble is null, times)
        {
            Trouble = trouble,
            Models =
            [
                .. there.Where(e => e.Residency != EngineResidency.Unloaded)
                    .Select(e => new ModelFare(e.Model, e.Residency == EngineResidency.Loading)),
            ],
            Slots = there.Sum(e => e.Slots),
            SlotsInUse = there.Sum(e => e.SlotsInUse),
            Pending = there.Sum(e => e.Pending),
            BatchLimit = there.Max(e => (int?)e.BatchLimit) ?? 0,
            Evaluations = there.Sum(e => e.Evaluations),
            Passes = there.Sum(e => e.Passes),
        };
    }

    /// <summary>What it did until now; null when it evaluated nothing.</summary>
    public DeviceUse? Use
    {
        get
        {
            var done = _engines.Values.SelectMany(e => e.Statistics).Where(s => s.FirstPassAt != 0).ToList();
            return done.Count == 0 ? null : new(
                Name, done.Sum(s => s.Evaluations),
                Stopwatch.GetElapsedTime(done.Min(s => s.FirstPassAt), done.Max(s => s.LastPassAt)),
                Autoencoders.NetworkTime + TimeSpan.FromTicks(done.Sum(s => s.NetworkTime.Ticks)), _engines.Values.Sum(e => e.Loads));
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var engine in _engines.Values)
            await engine.EndAsync();
        await Autoencoders.DisposeAsync();
    }
}

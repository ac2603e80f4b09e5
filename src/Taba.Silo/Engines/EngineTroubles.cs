using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Taba.Grains.Faults;
using Taba.Grains.Models;
using Taba.Silo.Devices;
using Taba.Silo.Faults;

namespace Taba.Silo.Engines;

/// <summary>
/// What is wrong with which device. A device that hangs or is broken takes nothing more; one on which a model failed takes that model last,
/// for a while. As long as another device can go on, that is all; when none is left, the process is of no more use.
/// </summary>
sealed partial class EngineTroubles(SiloDevices devices, FaultMonitor faults, TimeProvider time, ILogger<EngineTroubles> logger)
{
    /// <summary>A device that failed with a model is given it last for this time.</summary>
    static readonly TimeSpan s_avoidFor = TimeSpan.FromMinutes(5);

    readonly TaskCompletionSource<EngineTrouble> _none = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly ConcurrentDictionary<string, EngineTrouble> _lost = new();
    readonly ConcurrentDictionary<(string Device, string Engine), Mark> _marks = new();

    /// <summary>Completes when no device is left; with the trouble of the last.</summary>
    public Task<EngineTrouble> Trouble => _none.Task;

    /// <summary>Told of each device that is lost while others go on.</summary>
    public event Action<EngineTrouble>? Lost;

    /// <summary>No device is left: nothing new may begin.</summary>
    public bool NoneLeft => _none.Task.IsCompleted;

    /// <summary>The device takes work.</summary>
    public bool Works(string device) => !_lost.ContainsKey(device);

    /// <summary>The trouble of a device; null when it works.</summary>
    public EngineTrouble? Of(string device) => _lost.GetValueOrDefault(device);

    /// <exception cref="EngineTroubleException">The device hangs or is broken.</exception>
    public void RequireWorks(string device)
    {
        if (Of(device) is { } trouble)
            throw new EngineTroubleException(trouble);
    }

    /// <summary>Why a device is given a model last; null when it is not.</summary>
    public string? Mistrusts(string device, string engine) =>
        _marks.TryGetValue((device, engine), out var mark) && time.GetElapsedTime(mark.At) < s_avoidFor ? mark.Reason : null;

    /// <summary>True when another device works and did not fail with this model.</summary>
    public bool OthersGoOn(string device, string engine) =>
        devices.Any(d => d.Name != device && Works(d.Name) && Mistrusts(d.Name, engine) is null);

    /// <summary>
    /// A part's fault as its stage is to take it: an engine that failed is its device's fault, where the host has others.
    /// </summary>
    public Fault Judge(Fault fault, ModelAddress model) => fault.Rows.IsEmpty || fault.Owner != FaultOwner.Host
        ? fault
        : fault with { Device = model.Device, Owner = OthersGoOn(model.Device, model.Engine) ? FaultOwner.Device : FaultOwner.Host };

    /// <summary>A device hangs or is broken.</summary>
    public void Report(EngineTrouble trouble)
    {
        lock (_lost)
        {
            if (!_lost.TryAdd(trouble.Device, trouble))
                return;
        }
        LogTrouble(logger, trouble.Device, trouble.Model, trouble.What);
        if (_lost.Count < devices.Count)
        {
            LogOthersGoOn(logger, trouble.Device, devices.Count - _lost.Count);
            Lost?.Invoke(trouble);
        }
        else if (_none.TrySetResult(trouble))
            faults.Report(new EngineTroubleException(trouble), $"the engine of model {trouble.Model}");
    }

    /// <summary>An engine ended, and its device may be good for others, or for another try.</summary>
    public void EngineEnded(string device, string engine, string model, Exception error)
    {
        if (!TryMistrust(device, engine, model, error.Message))
            faults.Report(error, $"the engine of model {model}");
    }

    /// <summary>A device failed with a model, whatever it was given. It takes that model last, where another device can take it.</summary>
    /// <returns>False when there is no other.</returns>
    public bool TryMistrust(string device, string engine, string model, string reason)
    {
        if (!OthersGoOn(device, engine))
            return false;
        if (Mistrusts(device, engine) is null)
            LogMistrusted(logger, device, model, reason);
        _marks[(device, engine)] = new(reason, time.GetTimestamp());
        return true;
    }

    [LoggerMessage(4104, LogLevel.Critical, "Device {Device}, model {Model}: {What}")]
    static partial void LogTrouble(ILogger logger, string device, string model, string what);

    [LoggerMessage(4106, LogLevel.Critical, "Device {Device} takes no more work; its parts are given back, and {Left} other(s) go on")]
    static partial void LogOthersGoOn(ILogger logger, string device, int left);

    [LoggerMessage(4107, LogLevel.Error, "Device {Device} failed with model {Model}, which others take for a while: {Reason}")]
    static partial void LogMistrusted(ILogger logger, string device, string model, string reason);

    sealed record Mark(string Reason, long At);
}

/// <summary>A device is of no more use to this process.</summary>
public sealed class EngineTroubleException(EngineTrouble trouble) : Exception(trouble.What)
{
    /// <summary>The trouble with the device.</summary>
    public EngineTrouble Trouble { get; } = trouble;
}

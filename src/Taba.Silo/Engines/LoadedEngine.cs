using System.Diagnostics;
using Taba.Diffusion.Engine;
using Taba.Diffusion.Models;

namespace Taba.Silo.Engines;

/// <summary>A model on this silo's device, with the engine that drives it.</summary>
/// <param name="Key">Model, precision and batch shape.</param>
/// <param name="Definition">The model.</param>
/// <param name="Engine">Its engine.</param>
/// <param name="Pace">How many steps a segment has.</param>
sealed record LoadedEngine(string Key, ModelDefinition Definition, DenoisingEngine Engine, SegmentPace Pace)
{
    long _lastUse = Stopwatch.GetTimestamp();
    int _users;

    /// <summary>No part needs it now.</summary>
    public bool IsIdle => Volatile.Read(ref _users) == 0;

    /// <summary>When a part last began or ended with it, on the process's clock.</summary>
    public long LastUse => Volatile.Read(ref _lastUse);

    /// <summary>A part needs it until it releases it.</summary>
    public void Acquire()
    {
        Interlocked.Increment(ref _users);
        Volatile.Write(ref _lastUse, Stopwatch.GetTimestamp());
    }

    public void Release()
    {
        Volatile.Write(ref _lastUse, Stopwatch.GetTimestamp());
        Interlocked.Decrement(ref _users);
    }
}

using System.Diagnostics.CodeAnalysis;

namespace Taba.Diffusion.Engine;

/// <summary>
/// One device that several networks share: one of them computes at a time, in the order of asking. Side by side they would take each
/// other's cores and caches: two networks, each with as many threads as there are cores, need twice the time that they need in turn.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "It holds no handle, and an engine that hangs may come back after everything ended.")]
public sealed class DeviceTurns
{
    readonly SemaphoreSlim _free = new(1, 1);

    /// <summary>Waits until the device is free, and has it until what is returned is disposed. For threads that do nothing else.</summary>
    /// <exception cref="OperationCanceledException">The wait was cancelled.</exception>
    public IDisposable Take(CancellationToken cancellationToken)
    {
        // Those who wait asynchronously are served first come, first served; others may overtake.
        _free.WaitAsync(cancellationToken).GetAwaiter().GetResult();
        return new Held(_free);
    }

    sealed class Held(SemaphoreSlim free) : IDisposable
    {
        SemaphoreSlim? _free = free;

        public void Dispose() => Interlocked.Exchange(ref _free, null)?.Release();
    }
}

/// <summary>An engine's turn on its device. Of the engine's thread.</summary>
/// <param name="device">Null when no other network is there.</param>
/// <param name="stop">The engine ends.</param>
sealed class DeviceTurn(DeviceTurns? device, CancellationToken stop)
{
    IDisposable? _held;

    /// <summary>Waits for the device unless this engine has it.</summary>
    /// <returns>False when the engine ends.</returns>
    public bool Enter()
    {
        if (device is null || _held is not null)
            return true;
        try
        {
            _held = device.Take(stop);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    /// <summary>Lets others compute.</summary>
    public void Leave()
    {
        _held?.Dispose();
        _held = null;
    }
}

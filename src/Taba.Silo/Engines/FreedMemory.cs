using Taba.Diffusion.Native;

namespace Taba.Silo.Engines;

/// <summary>Gives memory that native code freed back to the system, rarely enough to cost nothing.</summary>
sealed class FreedMemory(TimeProvider time)
{
    // The pages that a step needs come back as page faults, a few milliseconds a time.
    static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    readonly Lock _lock = new();
    long _last = time.GetTimestamp();

    /// <summary>Does so unless it was done less than half a second ago.</summary>
    public void Release()
    {
        lock (_lock)
        {
            if (time.GetElapsedTime(_last) < Interval)
                return;
            _last = time.GetTimestamp();
        }
        TorchRuntime.ReleaseFreedMemory();
    }
}

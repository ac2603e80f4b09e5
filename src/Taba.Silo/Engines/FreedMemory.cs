using Taba.Diffusion.Native;

namespace Taba.Silo.Engines;

/// <summary>Gives memory that native code freed back to the system, rarely enough to cost nothing.</summary>
sealed class FreedMemory(TimeProvider time)
{
    // The pages that a step needs come back as page faults, tens of milliseconds a time where faults are dear.
    static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    readonly Lock _lock = new();
    long _last = time.GetTimestamp();

    /// <summary>Does so unless it was done less than two seconds ago.</summary>
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

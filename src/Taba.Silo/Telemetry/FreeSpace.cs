using Taba.Storage.Objects;

namespace Taba.Silo.Telemetry;

/// <summary>
/// Free space of the disks that a silo writes to, looked at every ten seconds: who asks does not wait for a disk that hangs.
/// </summary>
/// <param name="store">The folder of the tensors; null when they are no files.</param>
/// <param name="scratch">The folder of this silo alone, where what is not finished lies.</param>
sealed class FreeSpace(string? store, string scratch, TimeProvider time) : IDisposable
{
    static readonly TimeSpan s_lookEvery = TimeSpan.FromSeconds(10);
    static readonly TimeSpan s_staleAfter = TimeSpan.FromSeconds(60);

    readonly Disk? _store = store is null ? null : new(store, time);
    readonly Disk _scratch = new(scratch, time);
    ITimer? _timer;

    /// <summary>Bytes that may be written where the tensors are; null when they are no files, or the disk has been silent.</summary>
    public long? Store => _store?.Free;

    /// <summary>The same for the silo's own folder.</summary>
    public long? Scratch => _scratch.Free;

    /// <summary>Looks from now on.</summary>
    public void Begin() => _timer ??= time.CreateTimer(_ => Look(), null, TimeSpan.Zero, s_lookEvery);

    public void Dispose() => _timer?.Dispose();

    void Look()
    {
        // Each by itself: one that hangs keeps the other from nothing.
        if (_store is { } disk)
            ThreadPool.UnsafeQueueUserWorkItem(static d => d.Look(), disk, preferLocal: false);
        _scratch.Look();
    }

    sealed class Disk(string folder, TimeProvider time)
    {
        volatile Space? _seen;
        int _looking;

        public long? Free => _seen is { } seen && time.GetElapsedTime(seen.At) < s_staleAfter ? seen.Free : null;

        public void Look()
        {
            // One look at a time: one that hangs is not joined by others.
            if (Interlocked.Exchange(ref _looking, 1) != 0)
                return;
            _seen = new(Directory.Exists(folder) ? DiskSpace.Available(folder) : null, time.GetTimestamp());
            Volatile.Write(ref _looking, 0);
        }
    }

    sealed record Space(long? Free, long At);
}

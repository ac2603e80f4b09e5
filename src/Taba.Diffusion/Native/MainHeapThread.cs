using System.Runtime.InteropServices;

namespace Taba.Diffusion.Native;

/// <summary>
/// Starts threads whose native memory comes from the main heap of the process. glibc gives every thread an arena at its birth, mostly one
/// of those that the runtime's own threads made before <see cref="LinuxLibc.KeepFreedMemory"/> could say that there be no more. Such
/// arenas consist of heaps of 64 MiB at most; forward passes spread over several of them, and what lies between holes creeps upwards. The
/// main heap has no such limit.
/// </summary>
/// <remarks>
/// A thread cannot choose its arena. But glibc hands the existing ones out in turn, those of threads that ended first, so threads are started, and wait where their
/// arena is another, until one has the main heap.
/// </remarks>
static class MainHeapThread
{
    /// <summary>
    /// Two or three arenas are there when a program begins with libtorch, sixteen were seen where it came later, and threads that start
    /// at the same time take each other's turn.
    /// </summary>
    const int MostThreads = 128;

    /// <summary>Larger than what each thread caches for itself from any arena.</summary>
    const int ProbeBytes = 8000;

    /// <summary>
    /// Starts a background thread that runs <paramref name="run"/>, in the main heap where there is one to be had; otherwise
    /// (another system, settings of the user's) it is an ordinary thread.
    /// </summary>
    public static void Start(ThreadStart run, string name)
    {
        if (!OperatingSystem.IsLinux() || LinuxLibc.AllocatorIsTheUsers())
        {
            Begin(run, name);
            return;
        }
        var settled = new TaskCompletionSource();
        for (var left = MostThreads - 1; !settled.Task.IsCompleted; left--)
        {
            var fits = new TaskCompletionSource<bool>();
            var last = left == 0;
            Begin(
                () =>
                {
                    var runs = last || HasMainHeap();
                    fits.SetResult(runs);
                    if (runs)
                        run();
                    else
                        settled.Task.Wait();
                },
                name);
            if (fits.Task.Result)
                settled.SetResult();
        }
    }

    /// <summary>Whether the calling thread's memory comes from the main heap.</summary>
    internal static unsafe bool HasMainHeap()
    {
        var probe = NativeMemory.Alloc(ProbeBytes);
        try
        {
            return LinuxLibc.MainHeap() is var (start, end) && (nint)probe >= start && (nint)probe < end;
        }
        finally
        {
            NativeMemory.Free(probe);
        }
    }

    static void Begin(ThreadStart run, string name) => new Thread(run) { IsBackground = true, Name = name }.Start();
}

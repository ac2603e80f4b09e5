using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Taba.Diffusion.Native;

/// <summary>
/// Runs own kernels on the threads that libtorch uses for the operations of the calling thread: as many of them, and the same ones, so
/// that engines that share a processor do not take each other's cores.
/// </summary>
static unsafe class TorchTeam
{
    static readonly Lazy<nint> s_parallelFor = new(static () =>
        OperatingSystem.IsLinux() && TorchRuntime.TryLoad("libtorch_cpu.so", out var library)
        && NativeLibrary.TryGetExport(library, "torch_parallel_for", out var address)
            ? address
            : 0);

    /// <summary>Calls a kernel with ranges that together are 0 to <paramref name="count"/>; returns when all are done.</summary>
    /// <param name="count">How many pieces of work there are.</param>
    /// <param name="kernel">Takes the first and the one after the last piece, and the context. Must not throw.</param>
    /// <param name="context">Handed through.</param>
    public static void For(long count, delegate* unmanaged<long, long, void*, void> kernel, void* context)
    {
        if (s_parallelFor.Value == 0 || count < 2)
        {
            kernel(0, count, context);
            return;
        }
        var parallelFor =
            (delegate* unmanaged<long, long, long, delegate* unmanaged<long, long, void*, void>, void*, int>)s_parallelFor.Value;
        if (parallelFor(0, count, 1, kernel, context) != 0)
            throw new InvalidOperationException("libtorch could not run a kernel on its threads.");
    }

    /// <summary>Threads that <see cref="For"/> uses.</summary>
    public static int Size => get_num_threads();
}

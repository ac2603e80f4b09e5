using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Taba.Diffusion.Native;

/// <summary>
/// How many threads of the processor libtorch uses for the operations of one thread. The number is a property of the thread that calls:
/// each engine has a team of its own, and the teams of several share the cores.
/// </summary>
/// <remarks>
/// Numbers depend on it in their last bits: a sum is cut into as many pieces as there are threads, and so are some matrix products and the
/// borders between vectorised and single elements (docs/design/devices.md).
/// </remarks>
public static unsafe class ProcessorThreads
{
    static readonly Lazy<Native?> s_native = new(Native.Find);

    /// <summary>Threads of an operation where nobody chose another number: libtorch's own choice, or <c>OMP_NUM_THREADS</c>.</summary>
    public static int Default { get; } = ReadDefault();

    /// <summary>From now on operations of the calling thread use this many threads; those of other threads are not touched.</summary>
    /// <param name="threads">1 or more.</param>
    public static void Use(int threads)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        // libtorch sets a thread's number when it first works there: only after that does another number stay.
        if (get_num_threads() == threads)
            return;
        if (s_native.Value is { } native)
            native.Use(threads);
        else
            // libtorch's own call also changes the number with which later threads begin.
            set_num_threads(threads);
    }

    static int ReadDefault()
    {
        TorchRuntime.Initialize();
        return get_num_threads();
    }

    /// <summary>OpenMP and MKL as libtorch was linked with them: their numbers are the calling thread's.</summary>
    sealed class Native(nint openMp, nint mkl)
    {
        public static Native? Find() =>
            OperatingSystem.IsLinux() && TorchRuntime.TryLoad("libtorch_cpu.so", out var library)
            && NativeLibrary.TryGetExport(library, "omp_set_num_threads", out var openMp)
                ? new(openMp, NativeLibrary.TryGetExport(library, "MKL_Set_Num_Threads_Local", out var mkl) ? mkl : 0)
                : null;

        public void Use(int threads)
        {
            ((delegate* unmanaged<int, void>)openMp)(threads);
            if (mkl != 0)
                ((delegate* unmanaged<int, int>)mkl)(threads);
        }
    }
}

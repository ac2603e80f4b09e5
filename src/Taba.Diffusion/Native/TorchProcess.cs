using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace Taba.Diffusion.Native;

/// <summary>Settings of the whole process under which libtorch is fast and quiet. They are a program's to make, not a library's.</summary>
public static class TorchProcess
{
    /// <summary>
    /// Makes them; a program calls this first of all, because libtorch and libgomp read them when they are loaded. Variables that the
    /// user has set win.
    /// </summary>
    public static void Configure()
    {
        if (!OperatingSystem.IsLinux())
            return;
        WaitBriefly();
        PreferAvx2();
        LinuxLibc.KeepFreedMemory();
        LogErrorsOnly();
    }

    /// <summary>
    /// libgomp's threads spin for milliseconds while they wait for one another, which costs a factor of 4 to 7 on a shared machine; asleep
    /// at once, they lose a sixth of an idle one to waking up. Some ten microseconds of spinning cost neither (docs/benchmarks.md).
    /// </summary>
    static void WaitBriefly()
    {
        if (Environment.GetEnvironmentVariable("OMP_WAIT_POLICY") is not null)
            return;
        LinuxLibc.SetEnvironmentDefault("OMP_WAIT_POLICY", "PASSIVE");
        LinuxLibc.SetEnvironmentDefault("GOMP_SPINCOUNT", "1000");
    }

    /// <summary>
    /// Keeps libtorch's own element-wise kernels at AVX2 (oneDNN's convolutions and MKL's products choose for themselves). On virtual
    /// machines its AVX-512 exponential was seen to become 25 times slower for minutes at a time, which doubled the time of a network;
    /// at other times the two are equally fast (docs/benchmarks.md).
    /// </summary>
    static void PreferAvx2()
    {
        if (Avx512F.IsSupported)
            LinuxLibc.SetEnvironmentDefault("ATEN_CPU_CAPABILITY", "avx2");
    }

    /// <summary>
    /// On processors that NNPACK does not know, libtorch prints a warning for every small convolution. It looks at the variable by itself
    /// only under Python; what is wrong is an exception in any case.
    /// </summary>
    static unsafe void LogErrorsOnly()
    {
        LinuxLibc.SetEnvironmentDefault("TORCH_CPP_LOG_LEVEL", "ERROR");
        if (TorchRuntime.TryLoad("libc10.so", out var library)
            && NativeLibrary.TryGetExport(library, "_ZN3c1011initLoggingEv", out var initLogging))
            ((delegate* unmanaged<void>)initLogging)();
    }
}

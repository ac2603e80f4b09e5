using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using System.Runtime.Loader;

namespace Taba.Diffusion.Native;

/// <summary>
/// Makes libtorch loadable on every supported Linux. TorchSharp's native part carries a marker for a libstdc++ newer
/// than the one in Debian 12 and Ubuntu 22.04, though it uses nothing of it; where the system's own search therefore
/// fails, a copy without the marker is loaded. Elsewhere nothing happens.
/// </summary>
/// <remarks>
/// Registered when this assembly is first used, which must be before the first use of TorchSharp in the process: a
/// program that touches TorchSharp directly calls <see cref="Initialize"/> first.
/// </remarks>
public static class TorchRuntime
{
    const string NativeName = "LibTorchSharp";
    const string MarkerVersion = "GLIBCXX_3.4.32";

    static Exception? failure;

    /// <summary>Ensures that the loader is in place.</summary>
    /// <exception cref="DllNotFoundException">TABA_TORCH names a folder that cannot serve; the message says why.</exception>
    public static void Initialize()
    {
        // Being called has run the module initializer already.
        if (failure is not null)
            throw new DllNotFoundException(failure.Message, failure);
    }

    /// <summary>Gives memory that native code freed back to the system, where the allocator keeps it for the next step.</summary>
    public static void ReleaseFreedMemory()
    {
        if (OperatingSystem.IsLinux())
            LinuxLibc.ReleaseFreedMemory();
    }

    /// <summary>
    /// What libtorch can only be told once it is loaded; more than once does no harm. It is to read TORCH_CPP_LOG_LEVEL ("ERROR" unless the
    /// user has set it), as it does by itself only under Python: on processors that NNPACK does not know it prints a warning for every small
    /// convolution otherwise. And it is to take memory so that what was freed serves again.
    /// </summary>
    public static unsafe void Settle()
    {
        if (OperatingSystem.IsLinux() && NativeLibrary.TryLoad("libc10.so", out var library)
            && NativeLibrary.TryGetExport(library, "_ZN3c1011initLoggingEv", out var initLogging))
            ((delegate* unmanaged<void>)initLogging)();
        AlignedMemory.ServeTorch();
    }

    [ModuleInitializer]
    internal static void Register()
    {
        if (!OperatingSystem.IsLinux())
            return;

        WaitBriefly();
        // For Settle. What is wrong is an exception.
        LinuxLibc.SetEnvironmentDefault("TORCH_CPP_LOG_LEVEL", "ERROR");
        LinuxLibc.KeepFreedMemory();
        PreferAvx2();
        AssemblyLoadContext.Default.ResolvingUnmanagedDll += (_, name) => Resolve(name);
        try
        {
            if (Environment.GetEnvironmentVariable(PipTorch.Variable) is { Length: > 0 } folder)
                PipTorch.Load(folder, SearchDirectories());
        }
        catch (Exception e) when (e is IOException or DllNotFoundException or NotSupportedException or UnauthorizedAccessException)
        {
            // An exception here would surface as a type initializer's; Initialize and the first use of torch report it.
            failure = e;
        }
    }

    /// <summary>
    /// How libgomp's threads wait for one another, which it reads when it is loaded. By default they spin for milliseconds, which costs a
    /// factor of 4 to 7 on a shared machine; asleep at once, they lose a sixth of an idle one to waking up. Some ten microseconds of
    /// spinning cost neither (docs/benchmarks.md). OMP_WAIT_POLICY and GOMP_SPINCOUNT of the user win.
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
    /// at other times the two are equally fast (docs/benchmarks.md). ATEN_CPU_CAPABILITY of the user wins.
    /// </summary>
    static void PreferAvx2()
    {
        if (Avx512F.IsSupported)
            LinuxLibc.SetEnvironmentDefault("ATEN_CPU_CAPABILITY", "avx2");
    }

    static nint Resolve(string name)
    {
        if (name != NativeName)
            return 0;
        if (failure is not null)
            throw new DllNotFoundException(failure.Message, failure);
        var directories = SearchDirectories();
        var path = directories.Select(d => Path.Combine(d, "libLibTorchSharp.so")).FirstOrDefault(File.Exists);
        if (path is null)
            return 0;
        try
        {
            Preload(directories);
            return LoadWithoutMarker(path);
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException or InvalidDataException or IOException)
        {
            throw new DllNotFoundException(
                $"{path} cannot be loaded: {e.Message} It needs glibc 2.34 and a libstdc++ with GLIBCXX_3.4.30 "
                + "(Debian 12, Ubuntu 22.04 or newer); install a newer libstdc++6, or use a newer distribution.", e);
        }
    }

    /// <summary>A copy has no folder beside it to find its neighbours in, but their names are known once they are loaded.</summary>
    static void Preload(IReadOnlyList<string> directories)
    {
        foreach (var library in (ReadOnlySpan<string>)["libc10.so", "libtorch_cpu.so", "libtorch.so"])
        {
            var path = directories.Select(d => Path.Combine(d, library)).FirstOrDefault(File.Exists);
            if (path is not null)
                NativeLibrary.Load(path);
        }
    }

    static nint LoadWithoutMarker(string path)
    {
        var image = File.ReadAllBytes(path);
        ElfVersionNeeds.Weaken(image, MarkerVersion);
        var descriptor = LinuxLibc.CreateMemoryFile(NativeName);
        if (descriptor >= 0)
        {
            using var handle = new Microsoft.Win32.SafeHandles.SafeFileHandle(descriptor, ownsHandle: true);
            RandomAccess.Write(handle, image, 0);
            if (NativeLibrary.TryLoad($"/proc/self/fd/{descriptor}", out var library))
                return library;
        }

        return LoadFromTemporaryFile(image);
    }

    /// <summary>For kernels and sandboxes that refuse anonymous files or running code from them.</summary>
    static nint LoadFromTemporaryFile(byte[] image)
    {
        var folder = Directory.CreateTempSubdirectory("taba-").FullName;
        try
        {
            var copy = Path.Combine(folder, "libLibTorchSharp.so");
            File.WriteAllBytes(copy, image);
            return NativeLibrary.Load(copy);
        }
        finally
        {
            // Once mapped, the library needs its file no longer.
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Where the runtime itself looks for native libraries, and where builds put them.</summary>
    static List<string> SearchDirectories()
    {
        var directories = new List<string>();
        if (AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") is string listed)
            directories.AddRange(listed.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries));
        directories.Add(AppContext.BaseDirectory);
        directories.Add(Path.Combine(AppContext.BaseDirectory, "runtimes", RuntimeInformation.RuntimeIdentifier, "native"));
        directories.Add(Path.Combine(AppContext.BaseDirectory, "runtimes", "linux-x64", "native"));
        return directories;
    }
}

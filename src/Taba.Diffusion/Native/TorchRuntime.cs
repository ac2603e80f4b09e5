using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
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

    static readonly Lazy<Exception?> s_failure = new(LoadPipTorch);

    /// <summary>Ensures that the loader is in place.</summary>
    /// <exception cref="DllNotFoundException">TABA_TORCH names a folder that cannot serve; the message says why.</exception>
    public static void Initialize()
    {
        // Being called has run the module initializer already.
        if (s_failure.Value is { } failure)
            throw new DllNotFoundException(failure.Message, failure);
    }

    /// <summary>
    /// A listener is no setting of the process: it is asked only where the runtime's own search found nothing. It cannot wait for a call,
    /// because TorchSharp looks for its native part once and never again.
    /// </summary>
    [ModuleInitializer]
    internal static void Register()
    {
        if (OperatingSystem.IsLinux())
            AssemblyLoadContext.Default.ResolvingUnmanagedDll += (_, name) => name == NativeName ? Resolve() : 0;
    }

    /// <summary>Loads one of libtorch's own libraries, of whichever libtorch this process uses.</summary>
    internal static bool TryLoad(string library, out nint handle)
    {
        handle = 0;
        return s_failure.Value is null
            && (NativeLibrary.TryLoad(library, out handle)
                || (Find(library, SearchDirectories()) is { } path && NativeLibrary.TryLoad(path, out handle)));
    }

    /// <summary>The fault of the libtorch of TABA_TORCH; null when it is loaded, or none is wanted.</summary>
    static Exception? LoadPipTorch()
    {
        try
        {
            if (OperatingSystem.IsLinux() && Environment.GetEnvironmentVariable(PipTorch.Variable) is { Length: > 0 } folder)
                PipTorch.Load(HomePath.Expand(folder), SearchDirectories());
            return null;
        }
        catch (Exception e) when (e is IOException or DllNotFoundException or NotSupportedException or UnauthorizedAccessException)
        {
            return e;
        }
    }

    static nint Resolve()
    {
        Initialize();
        var directories = SearchDirectories();
        if (Find("libLibTorchSharp.so", directories) is not { } path)
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
            if (Find(library, directories) is { } path)
                NativeLibrary.Load(path);
        }
    }

    static string? Find(string library, IReadOnlyList<string> directories) =>
        directories.Select(d => Path.Combine(d, library)).FirstOrDefault(File.Exists);

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

    /// <summary>The folders where the runtime itself looks for native libraries, and where builds put them.</summary>
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

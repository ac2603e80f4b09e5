using System.Globalization;
using System.Runtime.InteropServices;

namespace Taba.Diffusion.Native;

/// <summary>The few C library calls for which the framework has no equivalent.</summary>
static partial class LinuxLibc
{
    /// <summary>Bytes that the allocator has ready at the end of a heap: about what a forward of a full batch on the processor takes.</summary>
    const int KeptAtTheEnd = 64 << 20;

    /// <summary>
    /// Sets a variable in the environment that native libraries see (Environment.SetEnvironmentVariable changes only
    /// the managed copy) unless the user has set it.
    /// </summary>
    public static void SetEnvironmentDefault(string name, string value) => _ = SetEnv(name, value, overwrite: 0);

    /// <summary>An anonymous file that lives as long as its descriptor; -1 when the kernel refuses.</summary>
    public static int CreateMemoryFile(string name) => MemfdCreate(name, flags: 1 /* MFD_CLOEXEC */);

    /// <summary>
    /// Lets the allocator keep what is freed for the next step, which frees and takes the same megabytes again: without
    /// this a forward of 16 pictures of 32x32 takes 8,000 page faults, which cost a quarter of the time where faults are dear (virtual
    /// machines). Settings of the user (MALLOC_*) win.
    /// </summary>
    public static void KeepFreedMemory()
    {
        if (AllocatorIsTheUsers())
            return;
        try
        {
            _ = MallOpt(-8 /* M_ARENA_MAX */, 1);
            _ = MallOpt(-3 /* M_MMAP_THRESHOLD */, 32 << 20);
            _ = MallOpt(-1 /* M_TRIM_THRESHOLD */, 1 << 30);

            // The runtime's own threads have made arenas before this is called, and threads that are not MainHeapThread's may be given one
            // of those. They consist of heaps of 64 MiB, each unmapped as soon as it is empty unless this much is to be kept.
            _ = MallOpt(-2 /* M_TOP_PAD */, KeptAtTheEnd);
        }
        catch (EntryPointNotFoundException)
        {
            // A C library other than glibc, where libtorch does not run either.
        }
    }

    /// <summary>Whether a variable of the user's (MALLOC_*) says how the allocator is to behave.</summary>
    public static bool AllocatorIsTheUsers() =>
        Environment.GetEnvironmentVariables().Keys.Cast<string>().Any(v => v.StartsWith("MALLOC_", StringComparison.Ordinal));

    /// <summary>Where glibc's main heap lies in this process, from its first byte to behind its last; null where there is none.</summary>
    public static (nint Start, nint End)? MainHeap()
    {
        try
        {
            // "55d4c8a2e000-55d4c8b6f000 rw-p 00000000 00:00 0    [heap]"
            if (File.ReadLines("/proc/self/maps").FirstOrDefault(l => l.EndsWith("[heap]", StringComparison.Ordinal)) is { } line
                && nint.TryParse(line.AsSpan(0, line.IndexOf('-', StringComparison.Ordinal)), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var start))
                return (start, SBreak(0));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or EntryPointNotFoundException)
        {
            // No /proc, or another C library.
        }
        return null;
    }

    /// <summary>
    /// Gives back the pages of what is free between other things. Allocations of different lifetimes leave such holes, and what the
    /// allocator keeps creeps upwards for hours. At the end of the heap enough for the next step remains, which would take it again at once.
    /// </summary>
    public static void ReleaseFreedMemory()
    {
        try
        {
            _ = MallocTrim(KeptAtTheEnd);
        }
        catch (EntryPointNotFoundException)
        {
            // Another C library, whose allocator was not told to keep anything either.
        }
    }

    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int MallocTrim(nuint keep);

    [LibraryImport("libc", EntryPoint = "sbrk")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint SBreak(nint increment);

    [LibraryImport("libc", EntryPoint = "mallopt")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int MallOpt(int parameter, int value);

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SetEnv(string name, string value, int overwrite);

    [LibraryImport("libc", EntryPoint = "memfd_create", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int MemfdCreate(string name, uint flags);
}

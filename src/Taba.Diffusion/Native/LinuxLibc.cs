using System.Runtime.InteropServices;

namespace Taba.Diffusion.Native;

/// <summary>The few C library calls for which the framework has no equivalent.</summary>
static partial class LinuxLibc
{
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
        if (Environment.GetEnvironmentVariables().Keys.Cast<string>().Any(v => v.StartsWith("MALLOC_", StringComparison.Ordinal)))
            return;
        try
        {
            _ = MallOpt(-8 /* M_ARENA_MAX */, 1);
            // None by the kernel's own mapping, which is returned with each block: a tensor of 50 MB takes 12,000 page faults whenever it
            // is made.
            _ = MallOpt(-4 /* M_MMAP_MAX */, 0);
            _ = MallOpt(-1 /* M_TRIM_THRESHOLD */, 1 << 30);

            // The runtime's own threads have made arenas before this is called, and an engine's thread may be given one of those. They
            // consist of heaps of 64 MiB, each unmapped as soon as it is empty unless this much is to be kept.
            _ = MallOpt(-2 /* M_TOP_PAD */, 64 << 20);
        }
        catch (EntryPointNotFoundException)
        {
            // A C library other than glibc, where libtorch does not run either.
        }
    }

    /// <summary>Gives the kernel back the pages of all memory that was freed, also of what lies between blocks that are in use.</summary>
    public static void ReturnFreedMemory()
    {
        try
        {
            _ = MallocTrim(0);
        }
        catch (EntryPointNotFoundException)
        {
            // As above.
        }
    }

    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int MallocTrim(nuint kept);

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

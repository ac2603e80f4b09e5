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

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SetEnv(string name, string value, int overwrite);

    [LibraryImport("libc", EntryPoint = "memfd_create", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int MemfdCreate(string name, uint flags);
}

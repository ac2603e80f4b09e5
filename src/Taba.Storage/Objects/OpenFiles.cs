using System.Runtime.InteropServices;

namespace Taba.Storage.Objects;

/// <summary>
/// How many files this process may have open. Without enough of them libraries do not load, and what is said then is far from the cause.
/// .NET has raised the limit to the hard one by the time that a program begins.
/// </summary>
public static partial class OpenFiles
{
    /// <summary>With fewer hardly any command can begin: each library that is loaded counts.</summary>
    public const int ToBegin = 128;

    /// <summary>What computes has some 300 open on two devices: libraries, the network, the store and its database.</summary>
    public const int ToCompute = 512;

    /// <summary>The most that may be open; null when there is no limit, or nobody says.</summary>
    public static long? Most
    {
        get
        {
            if (OperatingSystem.IsWindows())
                return null;
            const int linux = 7, mac = 8;
            Span<ulong> softAndHard = stackalloc ulong[2];
            return getrlimit(OperatingSystem.IsMacOS() ? mac : linux, softAndHard) == 0 && softAndHard[0] <= long.MaxValue
                ? (long)softAndHard[0]
                : null;
        }
    }

    /// <summary>A sentence when <paramref name="most"/> are fewer than <paramref name="least"/>, else null.</summary>
    public static string? Lack(int least, long? most) => most < least
        ? $"At most {most} files may be open at a time here, and a run needs {ToCompute}: raise the limit with 'ulimit -n {ToCompute}', or "
            + "where a container, a service or a queue sets it."
        : null;

    [LibraryImport("libc")]
    private static partial int getrlimit(int resource, Span<ulong> softAndHard);
}

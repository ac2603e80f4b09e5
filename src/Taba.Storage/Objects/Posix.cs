using System.Runtime.InteropServices;

namespace Taba.Storage.Objects;

/// <summary>The few calls of the operating system that make a file durable and a name exclusive, and that .NET does not offer.</summary>
static partial class Posix
{
    const int ReadOnly = 0;
    const int EPERM = 1;
    const int ENOENT = 2;
    const int EEXIST = 17;
    const int EINVAL = 22;
    const int ENOSYS = 38;
    const int EOPNOTSUPP = 95;
    const int CurrentFolder = -100;
    const int NoFollow = 0x100;
    const uint WantsOwner = 8;

    /// <summary>Size of a struct statx, and where its owner is: the same on every Linux.</summary>
    const int StatusBytes = 256;
    const int OwnerAt = 20;

    /// <summary>Why this process cannot make names in a folder that is there: an errno; 0 when it can.</summary>
    public static int WhyNotWritable(string folder)
    {
        const int Writable = 2, Searchable = 1;
        return OperatingSystem.IsWindows() || access(folder, Writable | Searchable) == 0 ? 0 : Marshal.GetLastPInvokeError();
    }

    /// <summary>Makes the names in a folder durable. A file system that cannot do it (EINVAL) has nothing to offer instead.</summary>
    /// <exception cref="IOException">The disk failed.</exception>
    public static void FlushDirectory(string path)
    {
        if (OperatingSystem.IsWindows())
            return;
        var descriptor = open(path, ReadOnly);
        if (descriptor < 0)
            throw Error($"cannot open the folder {path}", Marshal.GetLastPInvokeError());
        try
        {
            if (fsync(descriptor) != 0 && Marshal.GetLastPInvokeError() is var errno and not EINVAL)
                throw Error($"cannot make the folder {path} durable", errno);
        }
        finally
        {
            _ = close(descriptor);
        }
    }

    /// <summary>
    /// Gives a file a second name if that name is free. Hard links fail atomically when the name is taken, also on NFS, where O_EXCL and
    /// rename do not promise it. A file system without hard links has nothing that would do instead, and is refused.
    /// </summary>
    /// <returns>False when the name is taken.</returns>
    /// <exception cref="StoreException">The file system has no hard links.</exception>
    /// <exception cref="DirectoryNotFoundException">The file or the name's folder is not there.</exception>
    /// <exception cref="IOException">The disk failed.</exception>
    public static bool TryLink(string existing, string name)
    {
        if (OperatingSystem.IsWindows())
            return TryMove(existing, name);
        if (link(existing, name) == 0)
            return true;
        return Marshal.GetLastPInvokeError() switch
        {
            EEXIST => false,
            ENOENT => throw new DirectoryNotFoundException($"cannot create {name}: its folder or {existing} is not there"),
            EPERM or EOPNOTSUPP or ENOSYS => throw new StoreException(
                $"{name} cannot be created: its file system has no hard links, on which a store rests; name a folder on another one"),
            var errno => throw Error($"cannot create {name}", errno),
        };
    }

    /// <summary>On Windows a move that must not replace is one call of the system, and fails when the name is taken.</summary>
    static bool TryMove(string existing, string name)
    {
        try
        {
            File.Move(existing, name, overwrite: false);
            return true;
        }
        catch (IOException) when (File.Exists(name) && File.Exists(existing))
        {
            return false;
        }
    }

    /// <summary>Who runs this process.</summary>
    public static uint User => geteuid();

    /// <summary>Who owns a file or folder; of a link the link itself. Null where temporary folders are each user's own.</summary>
    public static uint? OwnerOf(string path)
    {
        if (!OperatingSystem.IsLinux())
            return null;
        Span<byte> status = stackalloc byte[StatusBytes];
        if (statx(CurrentFolder, path, NoFollow, WantsOwner, status) != 0)
            throw Error($"cannot look at {path}", Marshal.GetLastPInvokeError());
        return MemoryMarshal.Read<uint>(status[OwnerAt..]);
    }

    static IOException Error(string what, int errno) => new($"{what}: {Marshal.GetPInvokeErrorMessage(errno)}", errno);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int link(string existing, string name);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fsync(int descriptor);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int close(int descriptor);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int access(string path, int mode);

    [LibraryImport("libc")]
    private static partial uint geteuid();

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int statx(int folder, string path, int flags, uint mask, Span<byte> status);
}

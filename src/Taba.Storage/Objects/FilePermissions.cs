using System.Runtime.InteropServices;

namespace Taba.Storage.Objects;

/// <summary>Who may read and write what a process creates.</summary>
public static partial class FilePermissions
{
    const int NobodyElse = 0b000_111_111;
    const int OthersWrite = 0b000_000_010;

    /// <summary>Read and written by its owner alone: what is not for others' eyes, such as grain state.</summary>
    public const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>
    /// Takes away that everybody may write what this process creates, whatever its umask. A program calls it first of all: who can change a
    /// store, a checkpoint or a result unseen makes them worthless. Reading, and writing by a group, are for the umask to say.
    /// </summary>
    public static void KeepOthersFromWriting()
    {
        if (OperatingSystem.IsWindows())
            return;
        // It can only be read by setting it.
        var mask = umask(NobodyElse);
        _ = umask(mask | OthersWrite);
    }

    /// <summary>Creates an empty file for its owner alone; one that is there stays as it is.</summary>
    /// <exception cref="IOException">The disk failed.</exception>
    public static void CreateForOwner(string path)
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.OpenOrCreate, Access = FileAccess.Write, Share = FileShare.ReadWrite,
        };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = OwnerOnly;
        if (!File.Exists(path))
            new FileStream(path, options).Dispose();
    }

    [LibraryImport("libc")]
    private static partial int umask(int mask);
}

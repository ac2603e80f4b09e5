namespace Taba.Storage.Objects;

/// <summary>Turns what the operating system reports into what the user can do.</summary>
public static class DiskErrors
{
    const int ENOSPC = 28;
    const int EDQUOT = 122;
    const int EEXIST = 17;
    const int ENOTDIR = 20;
    const int EROFS = 30;
    const int ENAMETOOLONG = 36;
    const int ELOOP = 40;
    const int WindowsDiskFull = unchecked((int)0x80070070);
    const int WindowsHandleDiskFull = unchecked((int)0x80070027);

    /// <summary>True when an errno says that nothing more fits.</summary>
    public static bool IsFull(int errno) => errno is ENOSPC or EDQUOT;

    /// <summary>True when an exception says that nothing more fits. On Unix the HResult of an IOException is the errno.</summary>
    public static bool IsFull(Exception exception) =>
        exception is IOException
        && (IsFull(exception.HResult)
            || exception.HResult is WindowsDiskFull or WindowsHandleDiskFull
            || exception.Message.Contains("No space left", StringComparison.Ordinal)
            || exception.Message.Contains("Disk quota exceeded", StringComparison.Ordinal));

    /// <summary>
    /// True when only the user can mend what an exception, or one inside it, says of a path: no permission, a read-only file system, a file
    /// where a folder should be, a name that is too long. A disk that fails or is full is none of these.
    /// </summary>
    public static bool NeedsUser(Exception? exception) => exception switch
    {
        null => false,
        StoreException { NeedsUser: true } or UnauthorizedAccessException or PathTooLongException => true,
        StoreException or IOException { HResult: not (EEXIST or ENOTDIR or EROFS or ENAMETOOLONG or ELOOP) } =>
            exception.InnerException is { } inner && NeedsUser(inner),
        IOException => true,
        _ => NeedsUser(exception.InnerException),
    };

    /// <summary>The sentence for a full disk.</summary>
    public static StoreException Full(string path, Exception? inner = null) =>
        new($"the disk of {DiskOf(path)} is full: free some space", inner) { DiskFull = true };

    /// <summary>Wraps a failure of the file system at a path.</summary>
    public static StoreException Wrap(Exception exception, string what, string path) => exception switch
    {
        StoreException store => store,
        _ when IsFull(exception) => Full(path, exception),
        UnauthorizedAccessException => new(
            $"cannot {what} {path}: permission denied; give this user the right to read and write there, or choose another output folder",
            exception)
        { NeedsUser = true },
        _ when NeedsUser(exception) => new(
            $"cannot {what} {path}: {Bare(exception)}; choose another place", exception)
        { NeedsUser = true },
        _ => new($"cannot {what} {path}: {Bare(exception)}", exception),
    };

    static string Bare(Exception exception) => exception.Message.TrimEnd('.');

    /// <summary>
    /// Where the disk of a path is mounted, as <c>df</c> names it, so that all files of it are told of in the same words; the path itself
    /// when that is not known, or is the root, which says nothing.
    /// </summary>
    static string DiskOf(string path)
    {
        try
        {
            var file = Path.GetFullPath(path);
            var mount = DriveInfo.GetDrives().Select(drive => drive.Name.TrimEnd(Path.DirectorySeparatorChar))
                .Where(name => name.Length > 0 && file.StartsWith(name + Path.DirectorySeparatorChar, StringComparison.Ordinal))
                .MaxBy(name => name.Length);
            return mount ?? path;
        }
        catch (Exception exception) when (IsDisk(exception) || exception is ArgumentException)
        {
            return path;
        }
    }

    /// <summary>True when an exception comes from the file system.</summary>
    public static bool IsDisk(Exception exception) => exception is IOException or UnauthorizedAccessException;
}

namespace Taba.Storage.Objects;

/// <summary>
/// A folder of this user alone below the system's temporary one, where anybody may have put anything under any name.
/// </summary>
public static class PrivateFolder
{
    const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>The user's folder; created when it is not there.</summary>
    /// <exception cref="StoreException">Somebody else owns what is there, or it cannot be created.</exception>
    public static string Take() => Take(Path.GetTempPath());

    internal static string Take(string parent)
    {
        var path = Path.Combine(parent, $"taba-{(OperatingSystem.IsWindows() ? Environment.UserName : Posix.User)}");
        try
        {
            if (OperatingSystem.IsWindows())
            {
                // The temporary folder is the user's own.
                Directory.CreateDirectory(path);
                return path;
            }
            Directory.CreateDirectory(path, OwnerOnly);
            if (Posix.OwnerOf(path) is { } owner && owner != Posix.User)
                throw new StoreException(
                    $"{path}, which is for this user's temporary files, belongs to user {owner}: have it removed, or set TMPDIR to a "
                    + "folder of your own");
            // One that was there may have been open to others.
            File.SetUnixFileMode(path, OwnerOnly);
            return path;
        }
        catch (Exception exception) when (DiskErrors.IsDisk(exception))
        {
            throw DiskErrors.Wrap(exception, "use", path);
        }
    }
}

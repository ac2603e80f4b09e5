namespace Taba.Storage.Objects;

/// <summary>The room that is left on a disk.</summary>
public static class DiskSpace
{
    /// <summary>Bytes that this user may still write below a path, which need not exist yet.</summary>
    /// <returns>Null when the operating system does not say.</returns>
    public static long? Available(string path)
    {
        var folder = Path.GetFullPath(path);
        while (!Directory.Exists(folder))
        {
            if (Path.GetDirectoryName(folder) is not { } parent)
                return null;
            folder = parent;
        }
        try
        {
            return new DriveInfo(folder).AvailableFreeSpace;
        }
        catch (Exception exception) when (DiskErrors.IsDisk(exception) || exception is ArgumentException)
        {
            return null;
        }
    }
}

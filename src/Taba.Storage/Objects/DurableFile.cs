namespace Taba.Storage.Objects;

/// <summary>Files and folders that are on the disk when the call returns, not only in its cache.</summary>
public static class DurableFile
{
    /// <summary>Creates a folder and makes every new name on the way durable.</summary>
    public static void CreateDirectory(string path)
    {
        if (Directory.Exists(path))
            return;
        var parent = Path.GetDirectoryName(path);
        if (parent is not null)
            CreateDirectory(parent);
        Directory.CreateDirectory(path);
        if (parent is not null)
            Posix.FlushDirectory(parent);
    }

    /// <summary>Makes the bytes of a finished file durable.</summary>
    public static void Flush(string path)
    {
        using var handle = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        RandomAccess.FlushToDisk(handle);
    }

    /// <summary>Writes a new file with these bytes. Its name becomes durable with its folder.</summary>
    public static void Write(string path, ReadOnlySpan<byte> bytes)
    {
        using var handle = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, FileShare.None);
        RandomAccess.Write(handle, bytes, 0);
        RandomAccess.FlushToDisk(handle);
    }

    /// <summary>Replaces a file as a whole: readers see the old bytes or the new ones.</summary>
    public static void Replace(string path, ReadOnlySpan<byte> bytes)
    {
        var temporary = $"{path}.{Guid.NewGuid():N}.tmp";
        try
        {
            Write(temporary, bytes);
            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            DeleteIfThere(temporary);
            throw;
        }
        Posix.FlushDirectory(Path.GetDirectoryName(path)!);
    }

    /// <summary>Deletes a folder in which nothing is; one that is not there or not empty stays as it is.</summary>
    public static void DeleteIfEmpty(string path)
    {
        try
        {
            Directory.Delete(path, recursive: false);
        }
        catch (Exception exception) when (DiskErrors.IsDisk(exception))
        {
            // Not there, or in use.
        }
    }

    /// <summary>Deletes a file; one that stays costs room and is no object.</summary>
    public static void DeleteIfThere(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception exception) when (DiskErrors.IsDisk(exception))
        {
            // The name is temporary: lists pass it over.
        }
    }
}

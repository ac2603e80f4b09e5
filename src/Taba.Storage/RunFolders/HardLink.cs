using System.Runtime.InteropServices;

namespace Taba.Storage.RunFolders;

/// <summary>A second name for a file, where the file system has such.</summary>
public static partial class HardLink
{
    /// <summary>
    /// Gives <paramref name="source"/> the name <paramref name="path"/>, replacing what had it. False when that cannot be.
    /// </summary>
    public static bool TryCreate(string source, string path)
    {
        if (OperatingSystem.IsWindows())
            return false;
        var temporary = $"{path}.tmp-{Guid.NewGuid():n}";
        if (Link(source, temporary) != 0)
            return false;
        try
        {
            File.Move(temporary, path, overwrite: true);
        }
        finally
        {
            // rename(2) does nothing when both names already are the same file.
            File.Delete(temporary);
        }
        return true;
    }

    [LibraryImport("libc", EntryPoint = "link", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Link(string existing, string created);
}

using System.Text;

namespace Taba.Storage.Objects;

/// <summary>Whether a folder can be made and written, asked before anything starts. Writes nothing.</summary>
public static class WritableFolder
{
    const int EROFS = 30;
    const int LongestName = 255;
    const int LongestPath = 4096 - 256;

    /// <summary>Why not, as a clause that begins with the path; null when nothing speaks against it.</summary>
    /// <param name="path">The folder, which need not be there, nor those above it.</param>
    public static string? WhyNot(string path)
    {
        if (path.Length == 0 || path.Contains('\0', StringComparison.Ordinal))
            return $"'{path}' is no path";
        var full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        if (Encoding.UTF8.GetByteCount(full) > LongestPath)
            return $"{Begin(full)} has {Encoding.UTF8.GetByteCount(full)} bytes, and leaves no room for the files in it";
        var existing = full;
        while (!Directory.Exists(existing))
        {
            var name = Path.GetFileName(existing);
            if (Encoding.UTF8.GetByteCount(name) > LongestName)
                return $"{Begin(existing)} is a name of {Encoding.UTF8.GetByteCount(name)} bytes, and a folder's has at most {LongestName}";
            if (new FileInfo(existing).LinkTarget is { } target)
                return $"{existing} is a link to {target}, which is no folder";
            if (File.Exists(existing))
                return $"{existing} is a file, not a folder";
            if (Path.GetDirectoryName(existing) is not { } parent)
                return $"{existing} is not there";
            existing = parent;
        }
        return Sentence(existing, Posix.WhyNotWritable(existing));
    }

    /// <param name="folder">A folder that is there.</param>
    /// <param name="errno">What the operating system says of writing there; 0 for nothing.</param>
    internal static string? Sentence(string folder, int errno) => errno switch
    {
        0 => null,
        EROFS => $"{folder} is on a file system that nobody may write to",
        _ => $"{folder} is a folder that this user may not write to",
    };

    static string Begin(string path)
    {
        const int Shown = 60;
        return path.Length <= Shown ? path : $"{path[..Shown]}...";
    }
}

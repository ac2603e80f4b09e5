using Microsoft.Win32.SafeHandles;
using Taba.Silo.Storage;

namespace Taba.Silo.Checkpoints;

/// <summary>Segments in a folder for each worker, below <c>checkpoints</c>.</summary>
sealed class FolderSegmentPlace(string folder) : ISegmentPlace
{
    public ISegmentArea Of(string worker) => new FolderSegmentArea(Path.Combine(folder, WorkerNames.Escape(worker)));

    public IReadOnlyList<string> Workers() => Directory.Exists(folder)
        ? [.. Directory.EnumerateDirectories(folder).Select(d => WorkerNames.Unescape(Path.GetFileName(d))).Order(StringComparer.Ordinal)]
        : [];
}

/// <summary>Segments as files of a folder.</summary>
sealed class FolderSegmentArea(string folder) : ISegmentArea
{
    public string Where => folder;

    public IReadOnlyList<SegmentEntry> List() => Directory.Exists(folder)
        ?
        [
            .. new DirectoryInfo(folder).EnumerateFiles("*.seg").OrderBy(f => f.Name, StringComparer.Ordinal)
                .Select(f => new SegmentEntry(f.Name, f.Length, f.LastWriteTimeUtc)),
        ]
        : [];

    public ISegmentSource? Open(string name)
    {
        try
        {
            return new Source(File.OpenHandle(PathOf(name), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete));
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    public ISegmentAppender Begin(string name)
    {
        DurableFile.CreateDirectory(folder);
        var appender = new Appender(File.OpenHandle(PathOf(name), FileMode.CreateNew, FileAccess.Write, FileShare.Read | FileShare.Delete));
        Posix.FlushDirectory(folder);
        return appender;
    }

    public bool Exists(string name) => File.Exists(PathOf(name));

    public void Delete(string name)
    {
        try
        {
            File.Delete(PathOf(name));
        }
        catch (DirectoryNotFoundException)
        {
            // Another one cleared the same worker's area.
        }
    }

    public void DeleteIfEmpty() => DurableFile.DeleteIfEmpty(folder);

    string PathOf(string name) => Path.Combine(folder, name);

    sealed class Source(SafeFileHandle handle) : ISegmentSource
    {
        public long Length { get; } = RandomAccess.GetLength(handle);

        public bool TryRead(long offset, Span<byte> buffer)
        {
            while (!buffer.IsEmpty)
            {
                var read = RandomAccess.Read(handle, buffer, offset);
                if (read == 0)
                    return false;
                buffer = buffer[read..];
                offset += read;
            }
            return true;
        }

        public void Dispose() => handle.Dispose();
    }

    sealed class Appender(SafeFileHandle handle) : ISegmentAppender
    {
        public long Length { get; private set; }

        public void Append(IReadOnlyList<ReadOnlyMemory<byte>> buffers)
        {
            RandomAccess.Write(handle, buffers, Length);
            Length += buffers.Sum(b => (long)b.Length);
        }

        public void Flush() => RandomAccess.FlushToDisk(handle);

        public void Dispose() => handle.Dispose();
    }
}

/// <summary>A worker's name as a name of a file or blob, and back.</summary>
static class WorkerNames
{
    /// <exception cref="ArgumentException">It would be no name of its own.</exception>
    public static string Escape(string worker) => worker.Trim('.').Length == 0
        ? throw new ArgumentException($"'{worker}' cannot name a worker's checkpoints: letters and digits must be in it.", nameof(worker))
        : Uri.EscapeDataString(worker);

    public static string Unescape(string name) => Uri.UnescapeDataString(name);
}

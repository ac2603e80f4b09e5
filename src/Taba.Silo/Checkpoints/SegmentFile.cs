using Microsoft.Win32.SafeHandles;

namespace Taba.Silo.Checkpoints;

/// <summary>A segment file and how much of it is still wanted. Its counts are guarded by the index's lock.</summary>
sealed class SegmentFile(string path)
{
    public string Path { get; } = path;

    public string Name { get; } = System.IO.Path.GetFileName(path);

    /// <summary>Records that the index still points at.</summary>
    public int Live { get; set; }

    /// <summary>Readers that have it open.</summary>
    public int Readers { get; set; }

    /// <summary>Whether the writer still appends to it.</summary>
    public bool Growing { get; set; }

    public bool MayGo => Live == 0 && Readers == 0 && !Growing;

    /// <summary>
    /// Reads the records of a file in order, up to the first that is torn or damaged. What follows a damaged record cannot be
    /// found, and costs at most the steps it would have saved.
    /// </summary>
    public static IEnumerable<(long Offset, int Size, DecodedRecord Decoded)> Scan(string path)
    {
        using var handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var length = RandomAccess.GetLength(handle);
        var header = new byte[SegmentFormat.FileHeaderBytes];
        if (length < header.Length || !TryRead(handle, 0, header) || !SegmentFormat.IsFileHeader(header))
            yield break;
        var fixedPart = new byte[SegmentFormat.FixedBytes];
        var buffer = Array.Empty<byte>();
        var offset = (long)header.Length;
        while (offset + fixedPart.Length <= length)
        {
            if (!TryRead(handle, offset, fixedPart) || SegmentFormat.ClaimedSize(fixedPart) is not { } size || size > length - offset)
                yield break;
            if (buffer.Length < size)
                buffer = new byte[size];
            if (!TryRead(handle, offset, buffer.AsSpan(0, size)) || SegmentFormat.Decode(buffer.AsMemory(0, size)) is not { } decoded)
                yield break;
            yield return (offset, size, decoded);
            offset += size;
        }
    }

    /// <summary>Reads one record; null when it is damaged or gone.</summary>
    public DecodedRecord? Read(long offset, int size)
    {
        try
        {
            using var handle = File.OpenHandle(Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var bytes = new byte[size];
            return TryRead(handle, offset, bytes) ? SegmentFormat.Decode(bytes) : null;
        }
        catch (Exception exception) when (Storage.DiskErrors.IsDisk(exception))
        {
            // A checkpoint only saves work: without it the sample begins anew.
            return null;
        }
    }

    static bool TryRead(SafeFileHandle handle, long offset, Span<byte> buffer)
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
}

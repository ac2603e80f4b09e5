using System.Buffers.Binary;
using System.Text;

namespace Taba.Diffusion.Weights;

/// <summary>
/// An entry of a zip archive whose <paramref name="Length"/> bytes lie as they are in the file, from <paramref name="Offset"/> on.
/// </summary>
readonly record struct ZipEntry(string Name, long Offset, long Length);

/// <summary>
/// Reads the directory of a zip archive as torch.save writes it: stored entries only, zip64 included. Entries that are
/// compressed or encrypted, lie outside the archive, overlap or share a name are refused (PKWARE APPNOTE 4.3).
/// </summary>
static class ZipDirectory
{
    const int EndBytes = 22, End64Bytes = 56, LocatorBytes = 20, CentralBytes = 46, LocalBytes = 30;
    const int MaxDirectoryBytes = 64 << 20;
    const uint EndSignature = 0x06054b50, End64Signature = 0x06064b50, LocatorSignature = 0x07064b50;
    const uint CentralSignature = 0x02014b50, LocalSignature = 0x04034b50;

    public static Dictionary<string, ZipEntry> Read(SourceFile file)
    {
        var (offset, size, count) = FindDirectory(file);
        var directory = file.ReadBytes(offset, size, MaxDirectoryBytes, "the zip directory").AsSpan();
        var entries = new List<(ZipEntry Entry, long LocalHeader)>();
        while (directory.Length > 0)
        {
            var (name, length, localHeader, recordBytes) = ReadCentralRecord(file, directory);
            directory = directory[recordBytes..];
            entries.Add((LocateData(file, name, length, localHeader, archiveEnd: offset), localHeader));
        }

        if (entries.Count != count)
            throw file.Fault($"its zip directory lists {entries.Count} entries but states {count}.");

        RequireDisjoint(file, entries);
        var byName = new Dictionary<string, ZipEntry>(entries.Count, StringComparer.Ordinal);
        foreach (var (entry, _) in entries)
        {
            if (!byName.TryAdd(entry.Name, entry))
                throw file.Fault($"its zip directory lists '{entry.Name}' twice.");
        }

        return byName;
    }

    static (long Offset, long Size, long Count) FindDirectory(SourceFile file)
    {
        // The end record is the last thing in the file but for a comment of up to 65535 bytes.
        var tailBytes = (int)Math.Min(file.Length, EndBytes + ushort.MaxValue);
        var tail = file.ReadBytes(file.Length - tailBytes, tailBytes, tailBytes, "the end of the zip archive").AsSpan();
        for (var at = tail.Length - EndBytes; at >= 0; at--)
        {
            var end = tail[at..];
            if (U32(end) != EndSignature || at + EndBytes + U16(end[20..]) != tail.Length)
                continue;

            var endOffset = file.Length - tailBytes + at;
            long count = U16(end[10..]), size = U32(end[12..]), offset = U32(end[16..]), limit = endOffset;
            if (count == ushort.MaxValue || size == uint.MaxValue || offset == uint.MaxValue)
                (offset, size, count, limit) = ReadEnd64(file, endOffset);
            if (offset < 0 || size < 0 || offset > limit || size > limit - offset)
                throw file.Fault($"its zip directory ({size} bytes at {offset}) lies outside the archive.");
            return (offset, size, count);
        }

        throw file.Fault("it begins as a zip archive but has no zip directory; it was cut short or is damaged.");
    }

    static (long Offset, long Size, long Count, long Limit) ReadEnd64(SourceFile file, long endOffset)
    {
        Span<byte> locator = stackalloc byte[LocatorBytes];
        file.ReadExactly(endOffset - LocatorBytes, locator, "the zip64 locator");
        var recordOffset = S64(locator[8..]);
        if (U32(locator) != LocatorSignature || recordOffset < 0 || recordOffset > endOffset - LocatorBytes - End64Bytes)
            throw file.Fault("its zip64 locator is damaged.");

        Span<byte> record = stackalloc byte[End64Bytes];
        file.ReadExactly(recordOffset, record, "the zip64 end record");
        if (U32(record) != End64Signature)
            throw file.Fault("its zip64 end record is damaged.");
        return (S64(record[48..]), S64(record[40..]), S64(record[32..]), recordOffset);
    }

    static (string Name, long Length, long LocalHeader, int RecordBytes) ReadCentralRecord(SourceFile file, ReadOnlySpan<byte> record)
    {
        if (record.Length < CentralBytes || U32(record) != CentralSignature)
            throw file.Fault("its zip directory is damaged.");

        int nameBytes = U16(record[28..]), extraBytes = U16(record[30..]), commentBytes = U16(record[32..]);
        var recordBytes = CentralBytes + nameBytes + extraBytes + commentBytes;
        if (recordBytes > record.Length)
            throw file.Fault("its zip directory is damaged.");

        var name = Encoding.UTF8.GetString(record.Slice(CentralBytes, nameBytes));
        if ((U16(record[8..]) & 1) != 0)
            throw file.Fault($"its entry '{name}' is encrypted.");
        if (U16(record[10..]) != 0)
            throw file.Fault($"its entry '{name}' is compressed; torch.save never compresses, so this is not its file.");

        long packed = U32(record[20..]), length = U32(record[24..]), localHeader = U32(record[42..]);
        var extra = record.Slice(CentralBytes + nameBytes, extraBytes);
        if (packed == uint.MaxValue || length == uint.MaxValue || localHeader == uint.MaxValue)
            ReadZip64Sizes(file, name, extra, ref packed, ref length, ref localHeader);
        if (packed != length)
            throw file.Fault($"its entry '{name}' states {length} bytes but takes {packed}.");
        return (name, length, localHeader, recordBytes);
    }

    static void ReadZip64Sizes(
        SourceFile file, string name, ReadOnlySpan<byte> extra, ref long packed, ref long length, ref long localHeader)
    {
        while (extra.Length >= 4)
        {
            int id = U16(extra), size = U16(extra[2..]);
            if (size > extra.Length - 4)
                break;

            if (id == 1)
            {
                // Only the fields that are saturated in the record are present, in this order.
                var fields = extra.Slice(4, size);
                if (Take(ref fields, ref length) && Take(ref fields, ref packed) && Take(ref fields, ref localHeader))
                    return;
                break;
            }

            extra = extra[(4 + size)..];
        }

        throw file.Fault($"its entry '{name}' lacks its zip64 sizes.");

        static bool Take(ref ReadOnlySpan<byte> fields, ref long value)
        {
            if (value != uint.MaxValue)
                return true;
            if (fields.Length < 8)
                return false;
            value = S64(fields);
            fields = fields[8..];
            return true;
        }
    }

    static ZipEntry LocateData(SourceFile file, string name, long length, long localHeader, long archiveEnd)
    {
        if (length < 0 || localHeader < 0 || localHeader > archiveEnd - LocalBytes)
            throw file.Fault($"its entry '{name}' lies outside the archive.");

        Span<byte> local = stackalloc byte[LocalBytes];
        file.ReadExactly(localHeader, local, $"the header of entry '{name}'");
        if (U32(local) != LocalSignature)
            throw file.Fault($"its entry '{name}' has no header where the directory says.");

        var offset = localHeader + LocalBytes + U16(local[26..]) + U16(local[28..]);
        if (offset > archiveEnd || length > archiveEnd - offset)
            throw file.Fault($"its entry '{name}' ({length} bytes at {offset}) lies outside the archive.");
        return new ZipEntry(name, offset, length);
    }

    static void RequireDisjoint(SourceFile file, List<(ZipEntry Entry, long LocalHeader)> entries)
    {
        var reached = 0L;
        foreach (var (entry, localHeader) in entries.OrderBy(item => item.LocalHeader))
        {
            if (localHeader < reached)
                throw file.Fault($"its entry '{entry.Name}' overlaps another.");
            reached = entry.Offset + entry.Length;
        }
    }

    static ushort U16(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt16LittleEndian(bytes);

    static uint U32(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt32LittleEndian(bytes);

    static long S64(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadInt64LittleEndian(bytes);
}

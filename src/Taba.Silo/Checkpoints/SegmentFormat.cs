using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;

namespace Taba.Silo.Checkpoints;

/// <summary>
/// The bytes of a segment file; docs/design/storage.md has the table. All numbers are little-endian. A file is a header of
/// 16 bytes and records; a record ends with the XXH64 of everything before it, so that a torn tail is recognised.
/// </summary>
static class SegmentFormat
{
    /// <summary>Bytes before the first record.</summary>
    public const int FileHeaderBytes = 16;

    /// <summary>Bytes of a record before its stage key.</summary>
    public const int FixedBytes = 44;

    /// <summary>Bytes of one entry of a record's table of captures.</summary>
    public const int CaptureBytes = 12;

    /// <summary>Bytes of the hash at the end.</summary>
    public const int HashBytes = 8;

    /// <summary>A record must fit into an array; a larger claim is damage.</summary>
    public const int MaxRecordBytes = 1 << 30;

    const int MaxNameBytes = 256;
    const uint Version = 1;
    const ulong FileMagic = 0x54504B4341424154; // "TABACKPT"
    const uint RecordMagic = 0x31504B43; // "CKP1"

    public static byte[] FileHeader()
    {
        var header = new byte[FileHeaderBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(header, FileMagic);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(8), Version);
        return header;
    }

    public static bool IsFileHeader(ReadOnlySpan<byte> header) =>
        header.Length == FileHeaderBytes
        && BinaryPrimitives.ReadUInt64LittleEndian(header) == FileMagic
        && BinaryPrimitives.ReadUInt32LittleEndian(header[8..]) == Version;

    /// <summary>Bytes of a record in the file.</summary>
    /// <exception cref="ArgumentException">A name or a row is larger than any real one.</exception>
    public static int Size(CheckpointRecord record)
    {
        var names = Encoding.UTF8.GetByteCount(record.StageKey) + Encoding.UTF8.GetByteCount(record.KeepDigest);
        var size = FixedBytes + names + record.Captures.Count * (long)CaptureBytes + record.State.Length
            + record.Captures.Sum(c => (long)c.Row.Length) + HashBytes;
        if (names > MaxNameBytes || size > MaxRecordBytes)
            throw new ArgumentException(
                $"A checkpoint of sample {record.Sample} of stage {record.StageKey} has {size} bytes, more than the {MaxRecordBytes} a "
                + "record may have: use shorter segments.", nameof(record));
        return (int)size;
    }

    /// <summary>The record as buffers to be written one after the other; rows are not copied.</summary>
    /// <param name="record">The record.</param>
    /// <param name="earlierCaptures">Captured rows in the records that this one continues; 0 when it stands alone.</param>
    public static List<ReadOnlyMemory<byte>> Encode(CheckpointRecord record, int earlierCaptures)
    {
        var size = Size(record);
        var stageKey = Encoding.UTF8.GetBytes(record.StageKey);
        var keepDigest = Encoding.UTF8.GetBytes(record.KeepDigest);
        var head = new byte[FixedBytes + stageKey.Length + keepDigest.Length + record.Captures.Count * CaptureBytes];
        var span = head.AsSpan();
        BinaryPrimitives.WriteUInt32LittleEndian(span, RecordMagic);
        BinaryPrimitives.WriteInt32LittleEndian(span[4..], size);
        BinaryPrimitives.WriteInt32LittleEndian(span[8..], record.Sample);
        BinaryPrimitives.WriteInt32LittleEndian(span[12..], record.NextStep);
        BinaryPrimitives.WriteInt64LittleEndian(span[16..], record.Evaluations);
        BinaryPrimitives.WriteInt32LittleEndian(span[24..], record.State.Length);
        BinaryPrimitives.WriteInt32LittleEndian(span[28..], record.Captures.Count);
        BinaryPrimitives.WriteInt32LittleEndian(span[32..], earlierCaptures);
        BinaryPrimitives.WriteInt32LittleEndian(span[36..], stageKey.Length);
        BinaryPrimitives.WriteInt32LittleEndian(span[40..], keepDigest.Length);
        span = span[FixedBytes..];
        stageKey.CopyTo(span);
        keepDigest.CopyTo(span = span[stageKey.Length..]);
        span = span[keepDigest.Length..];
        foreach (var capture in record.Captures)
        {
            BinaryPrimitives.WriteInt32LittleEndian(span, capture.Step);
            BinaryPrimitives.WriteInt32LittleEndian(span[4..], (int)capture.Kind);
            BinaryPrimitives.WriteInt32LittleEndian(span[8..], capture.Row.Length);
            span = span[CaptureBytes..];
        }

        List<ReadOnlyMemory<byte>> buffers = [head, record.State, .. record.Captures.Select(c => c.Row)];
        var hash = new XxHash64();
        foreach (var buffer in buffers)
            hash.Append(buffer.Span);
        var tail = new byte[HashBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(tail, hash.GetCurrentHashAsUInt64());
        buffers.Add(tail);
        return buffers;
    }

    /// <summary>The size a record's first bytes claim, or null when they are not a record's.</summary>
    public static int? ClaimedSize(ReadOnlySpan<byte> fixedPart)
    {
        if (fixedPart.Length < FixedBytes || BinaryPrimitives.ReadUInt32LittleEndian(fixedPart) != RecordMagic)
            return null;
        var size = BinaryPrimitives.ReadInt32LittleEndian(fixedPart[4..]);
        return size is >= FixedBytes + HashBytes and <= MaxRecordBytes ? size : null;
    }

    /// <summary>Reads a whole record; null when its hash or its lengths do not hold.</summary>
    public static DecodedRecord? Decode(ReadOnlyMemory<byte> bytes)
    {
        var span = bytes.Span;
        if (ClaimedSize(span) != span.Length
            || XxHash64.HashToUInt64(span[..^HashBytes]) != BinaryPrimitives.ReadUInt64LittleEndian(span[^HashBytes..]))
            return null;
        var stateBytes = BinaryPrimitives.ReadInt32LittleEndian(span[24..]);
        var captureCount = BinaryPrimitives.ReadInt32LittleEndian(span[28..]);
        var stageKeyBytes = BinaryPrimitives.ReadInt32LittleEndian(span[36..]);
        var keepDigestBytes = BinaryPrimitives.ReadInt32LittleEndian(span[40..]);
        if (stateBytes < 0 || captureCount < 0 || stageKeyBytes is < 0 or > MaxNameBytes || keepDigestBytes is < 0 or > MaxNameBytes)
            return null;
        var table = FixedBytes + stageKeyBytes + keepDigestBytes;
        var rows = table + captureCount * (long)CaptureBytes;
        if (rows + stateBytes + HashBytes > span.Length)
            return null;

        var at = (int)rows;
        var state = bytes.Slice(at, stateBytes);
        at += stateBytes;
        var captures = new CapturedRow[captureCount];
        for (var i = 0; i < captureCount; i++)
        {
            var entry = span[(table + i * CaptureBytes)..];
            var length = BinaryPrimitives.ReadInt32LittleEndian(entry[8..]);
            if (length < 0 || length > span.Length - HashBytes - at)
                return null;
            captures[i] = new(
                BinaryPrimitives.ReadInt32LittleEndian(entry), (TensorKinds)BinaryPrimitives.ReadInt32LittleEndian(entry[4..]),
                bytes.Slice(at, length));
            at += length;
        }
        var record = new CheckpointRecord(
            Encoding.UTF8.GetString(span.Slice(FixedBytes, stageKeyBytes)),
            BinaryPrimitives.ReadInt32LittleEndian(span[8..]),
            Encoding.UTF8.GetString(span.Slice(FixedBytes + stageKeyBytes, keepDigestBytes)),
            BinaryPrimitives.ReadInt32LittleEndian(span[12..]),
            BinaryPrimitives.ReadInt64LittleEndian(span[16..]),
            state,
            captures);
        return at == span.Length - HashBytes ? new(record, BinaryPrimitives.ReadInt32LittleEndian(span[32..])) : null;
    }
}

/// <param name="Record">The record; its rows are slices of the bytes it was read from.</param>
/// <param name="EarlierCaptures">Captured rows in the records that it continues.</param>
sealed record DecodedRecord(CheckpointRecord Record, int EarlierCaptures);

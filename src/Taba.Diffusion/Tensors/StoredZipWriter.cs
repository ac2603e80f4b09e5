using System.Buffers;
using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;

namespace Taba.Diffusion.Tensors;

/// <summary>
/// Writes the records of a zip archive of stored entries (PKWARE APPNOTE 4.3), zip64 where a size or position needs it. The
/// data of one large entry passes outside: this keeps only positions and records.
/// </summary>
sealed class StoredZipWriter
{
    /// <summary>The place of the CRC-32 in an entry's header.</summary>
    public const int CrcPosition = 14;

    const int Alignment = 64, LocalBytes = 30, ExtraHeaderBytes = 4, Zip64LocalBytes = 20;
    const ushort Version = 20, Version64 = 45, Zip64Id = 1;
    const ushort PaddingId = 'F' | ('B' << 8); // what torch.save calls its padding
    const ushort FirstOfJanuary1980 = (1 << 5) | 1;

    readonly ArrayBufferWriter<byte> _buffer = new();
    readonly List<Entry> _entries = [];
    long _taken;

    long Position => _taken + _buffer.WrittenCount;

    /// <summary>The records since the last call.</summary>
    public byte[] Take()
    {
        var bytes = _buffer.WrittenSpan.ToArray();
        _taken += bytes.Length;
        _buffer.ResetWrittenCount();
        return bytes;
    }

    /// <summary>A whole small entry.</summary>
    public void AddEntry(string name, ReadOnlySpan<byte> data)
    {
        BeginEntry(name, data.Length, Crc32.HashToUInt32(data));
        _buffer.Write(data);
    }

    /// <summary>The header of an entry; its data follows. Returns the header's position.</summary>
    public long BeginEntry(string name, long length, uint crc)
    {
        var header = Position;
        var large = length >= uint.MaxValue;
        var extraBytes = large ? Zip64LocalBytes : 0;
        var unpadded = header + LocalBytes + name.Length + extraBytes + ExtraHeaderBytes;
        var padding = (int)((Alignment - unpadded % Alignment) % Alignment);
        _entries.Add(new Entry(name, header, length, crc));

        U32(0x04034b50);
        U16(large ? Version64 : Version);
        U16(0); // flags
        U16(0); // stored
        U16(0); // time
        U16(FirstOfJanuary1980);
        U32(crc);
        U32(Saturate(length));
        U32(Saturate(length));
        U16((ushort)name.Length);
        U16((ushort)(extraBytes + ExtraHeaderBytes + padding));
        _buffer.Write(Encoding.ASCII.GetBytes(name));
        if (large)
        {
            U16(Zip64Id);
            U16(Zip64LocalBytes - ExtraHeaderBytes);
            U64(length);
            U64(length);
        }

        U16(PaddingId);
        U16((ushort)padding);
        _buffer.GetSpan(padding)[..padding].Fill((byte)'Z');
        _buffer.Advance(padding);
        return header;
    }

    /// <summary>Counts the data of the last entry, which was written elsewhere, and sets its CRC-32.</summary>
    public void EndEntry(long length, uint crc)
    {
        _taken += length;
        _entries[^1] = _entries[^1] with { Crc = crc };
    }

    /// <summary>The central directory and the records that end the archive.</summary>
    public void WriteDirectory()
    {
        var offset = Position;
        foreach (var entry in _entries)
            WriteCentralRecord(entry);
        var size = Position - offset;
        if (offset >= uint.MaxValue)
            WriteEnd64(offset, size);

        U32(0x06054b50);
        U16(0); // this disk
        U16(0); // the directory's disk
        U16((ushort)_entries.Count);
        U16((ushort)_entries.Count);
        U32((uint)size);
        U32(Saturate(offset));
        U16(0); // comment
    }

    void WriteCentralRecord(Entry entry)
    {
        var largeLength = entry.Length >= uint.MaxValue;
        var largeOffset = entry.Header >= uint.MaxValue;
        var zip64Bytes = (largeLength ? 16 : 0) + (largeOffset ? 8 : 0);
        var version = zip64Bytes > 0 ? Version64 : Version;

        U32(0x02014b50);
        U16(version); // made by
        U16(version); // needed
        U16(0); // flags
        U16(0); // stored
        U16(0); // time
        U16(FirstOfJanuary1980);
        U32(entry.Crc);
        U32(Saturate(entry.Length));
        U32(Saturate(entry.Length));
        U16((ushort)entry.Name.Length);
        U16((ushort)(zip64Bytes > 0 ? ExtraHeaderBytes + zip64Bytes : 0));
        U16(0); // comment
        U16(0); // disk
        U16(0); // internal attributes
        U32(0); // external attributes
        U32(Saturate(entry.Header));
        _buffer.Write(Encoding.ASCII.GetBytes(entry.Name));
        if (zip64Bytes == 0)
            return;

        // Only the fields that are saturated above, in this order.
        U16(Zip64Id);
        U16((ushort)zip64Bytes);
        if (largeLength)
        {
            U64(entry.Length);
            U64(entry.Length);
        }

        if (largeOffset)
            U64(entry.Header);
    }

    void WriteEnd64(long offset, long size)
    {
        const int BytesAfterThisField = 44;
        var record = Position;
        U32(0x06064b50);
        U64(BytesAfterThisField);
        U16(Version64); // made by
        U16(Version64); // needed
        U32(0); // this disk
        U32(0); // the directory's disk
        U64(_entries.Count);
        U64(_entries.Count);
        U64(size);
        U64(offset);

        U32(0x07064b50);
        U32(0); // the record's disk
        U64(record);
        U32(1); // disks
    }

    static uint Saturate(long value) => (uint)Math.Min(value, uint.MaxValue);

    void U16(ushort value)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(_buffer.GetSpan(sizeof(ushort)), value);
        _buffer.Advance(sizeof(ushort));
    }

    void U32(uint value)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(_buffer.GetSpan(sizeof(uint)), value);
        _buffer.Advance(sizeof(uint));
    }

    void U64(long value)
    {
        BinaryPrimitives.WriteInt64LittleEndian(_buffer.GetSpan(sizeof(long)), value);
        _buffer.Advance(sizeof(long));
    }

    sealed record Entry(string Name, long Header, long Length, uint Crc);
}

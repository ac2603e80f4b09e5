using System.Buffers.Binary;
using static Taba.Diffusion.Conditions.ThriftType;

namespace Taba.Diffusion.Conditions;

/// <summary>
/// Checks what a parquet file states of itself (the Thrift definitions of apache/parquet-format) before the parquet reader believes
/// it: the footer, and the headers of the pages of a column.
/// </summary>
static class ParquetCheck
{
    const int MaxFooterBytes = 64 << 20;
    const int Tail = 8;

    /// <summary>The reader descends into the schema by recursion.</summary>
    const int MaxSchemaElements = 1024;

    /// <summary>A header holds the smallest and the largest value of its page, which may be long texts.</summary>
    const int MaxPageHeaderBytes = 1 << 20;

    /// <summary>Writers make pages of about 1 MB, and dictionaries of as much.</summary>
    const int MaxPageBytes = 256 << 20;

    const int DataPage = 0;
    const int DictionaryPage = 2;
    const int DataPageV2 = 3;

    static readonly ThriftStruct Empty = new();
    static readonly ThriftStruct TimeUnit = new(Empty, Empty, Empty);
    static readonly ThriftStruct LogicalType = new(
        Empty, Empty, Empty, Empty, new ThriftStruct(I32, I32), Empty, new ThriftStruct(ThriftType.Bool, TimeUnit), new ThriftStruct(ThriftType.Bool, TimeUnit), null,
        new ThriftStruct(ThriftType.Byte, ThriftType.Bool), Empty, Empty, Empty, Empty, Empty, new ThriftStruct(ThriftType.Byte), new ThriftStruct(Binary), new ThriftStruct(Binary, I32));
    static readonly ThriftStruct SchemaElement = new(I32, I32, I32, Binary, I32, I32, I32, I32, I32, LogicalType);
    static readonly ThriftStruct KeyValue = new(Binary, Binary);
    static readonly ThriftStruct Statistics = new(Binary, Binary, I64, I64, Binary, Binary, ThriftType.Bool, ThriftType.Bool);
    static readonly ThriftStruct SizeStatistics = new(I64, ListOf(I64), ListOf(I64));
    static readonly ThriftStruct BoundingBox = new(ThriftType.Double, ThriftType.Double, ThriftType.Double, ThriftType.Double, ThriftType.Double, ThriftType.Double, ThriftType.Double, ThriftType.Double);
    static readonly ThriftStruct ColumnMetaData = new(
        I32, ListOf(I32), ListOf(Binary), I32, I64, I64, I64, ListOf(KeyValue), I64, I64, I64, Statistics, ListOf(new ThriftStruct(I32, I32, I32)), I64, I32,
        SizeStatistics, new ThriftStruct(BoundingBox, ListOf(I32)));
    static readonly ThriftStruct Encryption = new(new ThriftStruct(Binary, Binary, ThriftType.Bool), new ThriftStruct(Binary, Binary, ThriftType.Bool));
    static readonly ThriftStruct ColumnCrypto = new(Empty, new ThriftStruct(ListOf(Binary), Binary));
    static readonly ThriftStruct ColumnChunk = new(Binary, I64, ColumnMetaData, I64, I32, I64, I32, ColumnCrypto, Binary);
    static readonly ThriftStruct RowGroup = new(ListOf(ColumnChunk), I64, I64, ListOf(new ThriftStruct(I32, ThriftType.Bool, ThriftType.Bool)), I64, I64, I16);
    static readonly ThriftStruct FileMetaData = new(
        I32, ListOf(SchemaElement), I64, ListOf(RowGroup), ListOf(KeyValue), Binary, ListOf(new ThriftStruct(Empty)), Encryption, Binary);
    static readonly ThriftStruct PageHeader = new(
        I32, I32, I32, I32, new ThriftStruct(I32, I32, I32, I32, Statistics), Empty, new ThriftStruct(I32, I32, ThriftType.Bool),
        new ThriftStruct(I32, I32, I32, I32, I32, I32, ThriftType.Bool, Statistics));

    static ReadOnlySpan<byte> Magic => "PAR1"u8;

    /// <summary>The file begins and ends as it should, and its footer is whole.</summary>
    internal static void Footer(FileStream file, string path)
    {
        if (file.Length < Magic.Length + Tail)
            throw new InvalidDataException($"{path} has {file.Length} bytes, which is too few for a parquet file.");
        var head = Bytes(file, 0, Magic.Length);
        var tail = Bytes(file, file.Length - Tail, Tail);
        if (!Magic.SequenceEqual(head) || !Magic.SequenceEqual(tail.AsSpan(Tail - Magic.Length)))
            throw new InvalidDataException($"{path} does not begin and end as a parquet file does; it is of another kind, or was cut short.");

        var length = BinaryPrimitives.ReadUInt32LittleEndian(tail);
        if (length > MaxFooterBytes || length > file.Length - Magic.Length - Tail)
            throw new InvalidDataException($"{path} states a footer of {length} bytes in a file of {file.Length}; it is damaged.");

        var found = Walk(Bytes(file, file.Length - Tail - length, (int)length), FileMetaData, $"{path} has a damaged footer", out _);
        if (found.GetValueOrDefault((2, 0)) > MaxSchemaElements)
            throw new InvalidDataException($"{path} states {found[(2, 0)]} schema elements; at most {MaxSchemaElements} are read.");
    }

    /// <summary>The pages of a column chunk lie within it and hold as many values as it states.</summary>
    internal static void Pages(FileStream file, long start, long length, long values, string where)
    {
        if (start < Magic.Length || length < 0 || start > file.Length - length)
            throw new InvalidDataException($"{where} states {length} bytes at {start} in a file of {file.Length}; it is damaged.");

        var (at, end, counted) = (start, start + length, 0L);
        while (counted < values)
        {
            var header = Bytes(file, at, (int)Math.Min(MaxPageHeaderBytes, end - at));
            var found = Walk(header, PageHeader, $"{where} has a damaged page at {at}", out var headerBytes);
            var (kind, raw, stored) = (found.GetValueOrDefault((1, 0), -1), found.GetValueOrDefault((2, 0), -1), found.GetValueOrDefault((3, 0), -1));
            at += headerBytes;
            if (raw is < 0 or > MaxPageBytes || stored < 0 || stored > end - at)
                throw new InvalidDataException($"{where} has a page at {at} of {stored} bytes, unpacked {raw}, where {end - at} are left; it is damaged.");

            var inPage = kind switch
            {
                DataPage => found.GetValueOrDefault((5, 1), -1),
                DataPageV2 => found.GetValueOrDefault((8, 1), -1),
                // Every text of a dictionary has four bytes for its length.
                DictionaryPage when at - headerBytes == start => found.GetValueOrDefault((7, 1), -1) <= raw / sizeof(int) ? 0 : -1,
                _ => -1,
            };
            if (inPage < 0 || inPage > values - counted)
                throw new InvalidDataException($"{where} has a page at {at} of the kind {kind} whose values are not among the {values - counted} left; it is damaged.");
            counted += inPage;
            at += stored;
        }
    }

    static Dictionary<(int Outer, int Inner), long> Walk(byte[] bytes, ThriftStruct shape, string what, out int walked)
    {
        try
        {
            var found = new Dictionary<(int, int), long>();
            var check = new ThriftCheck(bytes);
            check.Struct(shape, found);
            walked = check.Position;
            return found;
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"{what}: {e.Message}", e);
        }
    }

    static byte[] Bytes(FileStream file, long at, int count)
    {
        var bytes = new byte[count];
        file.Seek(at, SeekOrigin.Begin);
        file.ReadExactly(bytes);
        return bytes;
    }
}

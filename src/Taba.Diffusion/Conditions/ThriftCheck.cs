using static Taba.Diffusion.Conditions.ThriftKind;

namespace Taba.Diffusion.Conditions;

/// <summary>
/// Walks a struct in Thrift's compact protocol without building anything, and refuses one that does not end within its bytes or
/// whose fields have other types than they should. The parquet reader takes both for granted, and on damaged files never ends.
/// </summary>
ref struct ThriftCheck(ReadOnlySpan<byte> data)
{
    const int MaxDepth = 16;
    const int MaxVarintBytes = 10;

    readonly ReadOnlySpan<byte> _data = data;

    /// <summary>Bytes walked over.</summary>
    public int Position { get; private set; }

    /// <summary>Walks over a struct.</summary>
    /// <param name="shape">Its fields; null when nothing is known of them.</param>
    /// <param name="found">Receives whole numbers and lengths of lists by the numbers of the fields that lead to them: (outer, inner), inner 0 for fields of the struct itself.</param>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    public void Struct(ThriftStruct? shape, Dictionary<(int Outer, int Inner), long>? found) => Struct(shape, found, 0, 0);

    void Struct(ThriftStruct? shape, Dictionary<(int Outer, int Inner), long>? found, int outer, int depth)
    {
        if (depth > MaxDepth)
            throw new InvalidDataException($"its structs are nested deeper than {MaxDepth}.");

        var number = 0;
        while (true)
        {
            var header = TakeByte();
            if (header == (byte)Stop)
                return;
            number = header >> 4 == 0 ? (short)ZigZag(Varint32()) : (short)(number + (header >> 4));
            var kind = (ThriftKind)(header & 15);
            var type = shape?.Field(number);
            if (type is not null && type.Kind != (kind == False ? Bool : kind))
                throw new InvalidDataException($"field {number} before byte {Position} is {kind} instead of {type.Kind}.");

            var value = Value(kind, type, depth == 0 ? found : null, number, depth);
            if (depth <= 1 && found is not null)
                Keep(found, depth == 0 ? (number, 0) : (outer, number), value);
        }
    }

    /// <summary>A whole number's value, a list's length, otherwise 0.</summary>
    long Value(ThriftKind kind, ThriftType? type, Dictionary<(int Outer, int Inner), long>? found, int number, int depth)
    {
        switch (kind)
        {
            case Bool or False:
                return 0;
            case ThriftKind.Byte:
                return TakeByte();
            case I16 or I32:
                return ZigZag(Varint32());
            case I64:
                return ZigZag(Varint());
            case ThriftKind.Double:
                Skip(sizeof(double));
                return 0;
            case Binary:
                Skip(Varint32());
                return 0;
            case List:
                return Items(type?.Element, depth);
            case ThriftKind.Struct:
                Struct(type?.Struct, found, number, depth + 1);
                return 0;
            default:
                throw new InvalidDataException($"byte {Position - 1} names the type {(byte)kind}, which parquet does not use.");
        }
    }

    int Items(ThriftType? element, int depth)
    {
        var header = TakeByte();
        var kind = (ThriftKind)(header & 15);
        var count = header >> 4 == 15 ? Varint32() : (uint)(header >> 4);
        // Every item takes a byte at least.
        if (count > (ulong)(_data.Length - Position))
            throw new InvalidDataException($"a list before byte {Position} states {count} items, where {_data.Length - Position} bytes are left.");
        if (kind is Bool or False || (element is not null && element.Kind != kind && count > 0))
            throw new InvalidDataException($"a list before byte {Position} has items of the type {kind}{(element is null ? "" : $" instead of {element.Kind}")}.");
        for (var i = 0; i < (int)count; i++)
            Value(kind, element, null, 0, depth + 1);
        return (int)count;
    }

    byte TakeByte() => Position < _data.Length ? _data[Position++] : throw CutShort();

    void Skip(ulong count)
    {
        if (count > (ulong)(_data.Length - Position))
            throw CutShort();
        Position += (int)count;
    }

    ulong Varint()
    {
        var value = 0UL;
        for (var i = 0; i < MaxVarintBytes; i++)
        {
            var part = TakeByte();
            value |= (ulong)(part & 127) << (7 * i);
            if (part < 128)
                return value;
        }

        throw new InvalidDataException($"the number before byte {Position} does not end.");
    }

    /// <summary>A number that the reader takes as 32 bits, of which a longer one would lose some.</summary>
    uint Varint32()
    {
        var value = Varint();
        return value <= uint.MaxValue ? (uint)value : throw new InvalidDataException($"the number before byte {Position} is larger than 32 bits.");
    }

    void Keep(Dictionary<(int Outer, int Inner), long> found, (int Outer, int Inner) field, long value)
    {
        if (!found.TryAdd(field, value))
            throw new InvalidDataException($"a field before byte {Position} is there twice.");
    }

    static long ZigZag(ulong value) => (long)(value >> 1) ^ -(long)(value & 1);

    readonly InvalidDataException CutShort() => new($"it goes on beyond its {_data.Length} bytes.");
}

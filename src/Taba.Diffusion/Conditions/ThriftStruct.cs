namespace Taba.Diffusion.Conditions;

/// <summary>The types of Thrift's compact protocol, by their codes on the wire.</summary>
enum ThriftKind : byte
{
    Stop = 0,

    /// <summary>A bool that is true; one that is false has the next code.</summary>
    Bool = 1,
    False = 2,
    Byte = 3,
    I16 = 4,
    I32 = 5,
    I64 = 6,
    Double = 7,
    Binary = 8,
    List = 9,
    Struct = 12,
}

/// <summary>The type of a field: its kind, and the kind of what a struct or list holds.</summary>
sealed record ThriftType(ThriftKind Kind, ThriftStruct? Struct = null, ThriftType? Element = null)
{
    public static readonly ThriftType Bool = new(ThriftKind.Bool);
    public static readonly ThriftType Byte = new(ThriftKind.Byte);
    public static readonly ThriftType I16 = new(ThriftKind.I16);
    public static readonly ThriftType I32 = new(ThriftKind.I32);
    public static readonly ThriftType I64 = new(ThriftKind.I64);
    public static readonly ThriftType Double = new(ThriftKind.Double);
    public static readonly ThriftType Binary = new(ThriftKind.Binary);

    public static implicit operator ThriftType(ThriftStruct fields) => new(ThriftKind.Struct, fields);

    public static ThriftType ListOf(ThriftType element) => new(ThriftKind.List, Element: element);
}

/// <summary>The fields of a struct by their numbers.</summary>
sealed class ThriftStruct
{
    readonly Dictionary<int, ThriftType> _fields = [];

    /// <summary>The fields 1, 2, ... in order; null where a number is not used.</summary>
    public ThriftStruct(params ReadOnlySpan<ThriftType?> fields)
    {
        for (var i = 0; i < fields.Length; i++)
        {
            if (fields[i] is { } type)
                _fields.Add(i + 1, type);
        }
    }

    /// <summary>The type of a field; null when the struct has none of that number.</summary>
    public ThriftType? Field(int number) => _fields.GetValueOrDefault(number);
}

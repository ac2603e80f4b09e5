using System.Text.Json.Serialization;

namespace Taba;

/// <summary>A floating-point element type: the precision of a network, of a state or of a draw of noise.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<Dtype>))]
public enum Dtype
{
    [JsonStringEnumMemberName("float32")]
    Float32,

    [JsonStringEnumMemberName("float16")]
    Float16,

    [JsonStringEnumMemberName("bfloat16")]
    BFloat16,

    [JsonStringEnumMemberName("float64")]
    Float64,
}

/// <summary>Names and sizes of dtypes.</summary>
public static class Dtypes
{
    /// <summary>The name that Python, sweep files, stored state and stage keys use.</summary>
    public static string Name(this Dtype dtype) => dtype switch
    {
        Dtype.Float32 => "float32",
        Dtype.Float16 => "float16",
        Dtype.BFloat16 => "bfloat16",
        Dtype.Float64 => "float64",
        _ => throw new ArgumentOutOfRangeException(nameof(dtype), dtype, "There is no such dtype."),
    };

    /// <summary>Bytes of one element.</summary>
    public static int Size(this Dtype dtype) => dtype switch
    {
        Dtype.Float16 or Dtype.BFloat16 => 2,
        Dtype.Float32 => 4,
        Dtype.Float64 => 8,
        _ => throw new ArgumentOutOfRangeException(nameof(dtype), dtype, "There is no such dtype."),
    };

    /// <summary>The dtype of a name; null when no floating-point type has it.</summary>
    public static Dtype? Find(string? name) => name switch
    {
        "float32" => Dtype.Float32,
        "float16" => Dtype.Float16,
        "bfloat16" => Dtype.BFloat16,
        "float64" => Dtype.Float64,
        _ => null,
    };
}

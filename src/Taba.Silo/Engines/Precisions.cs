using static TorchSharp.torch;

namespace Taba.Silo.Engines;

/// <summary>Names of precisions, as Python and the stage keys spell them.</summary>
static class Precisions
{
    /// <summary>The name of a type.</summary>
    public static string Name(ScalarType type) => type switch
    {
        TorchSharp.torch.ScalarType.Float32 => "float32",
        TorchSharp.torch.ScalarType.Float16 => "float16",
        TorchSharp.torch.ScalarType.BFloat16 => "bfloat16",
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "no precision of a network or a state"),
    };

    public static ScalarType ScalarType(string name) => name switch
    {
        "float32" => TorchSharp.torch.ScalarType.Float32,
        "float16" => TorchSharp.torch.ScalarType.Float16,
        "bfloat16" => TorchSharp.torch.ScalarType.BFloat16,
        "float64" => TorchSharp.torch.ScalarType.Float64,
        _ => throw new ArgumentOutOfRangeException(nameof(name), name, "unknown precision"),
    };
}

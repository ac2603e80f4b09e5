using static TorchSharp.torch;

namespace Taba.Silo.Engines;

/// <summary>Names of precisions, as Python and the stage keys spell them.</summary>
static class Precisions
{
    public static ScalarType ScalarType(string name) => name switch
    {
        "float32" => TorchSharp.torch.ScalarType.Float32,
        "float16" => TorchSharp.torch.ScalarType.Float16,
        "bfloat16" => TorchSharp.torch.ScalarType.BFloat16,
        "float64" => TorchSharp.torch.ScalarType.Float64,
        _ => throw new ArgumentOutOfRangeException(nameof(name), name, "unknown precision"),
    };
}

using System.Runtime.InteropServices;

namespace Taba.Diffusion.Engine;

/// <summary>
/// Recognises errors of a CUDA device. All but the want of memory stay with the process: every later call fails with the same
/// error, even one that has nothing to do with it, until the process ends.
/// </summary>
static class DeviceFaults
{
    static readonly string[] s_phrases =
    [
        "CUDA error", "CUDA driver error", "device-side assert", "illegal memory access", "CUBLAS_STATUS_", "CUDNN_STATUS_", "cuDNN error",
        "cuBLAS error", "NCCL error",
    ];

    /// <summary>The device will not work again in this process.</summary>
    public static bool IsSticky(Exception error) =>
        error is DeviceBrokenException
        || (error is ExternalException && !DeviceMemory.IsExhausted(error)
            && s_phrases.Any(phrase => error.Message.Contains(phrase, StringComparison.OrdinalIgnoreCase)));
}

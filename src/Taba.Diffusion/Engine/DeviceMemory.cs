using System.Runtime.InteropServices;

namespace Taba.Diffusion.Engine;

/// <summary>Recognises libtorch's ways to say that the device has no memory left.</summary>
public static class DeviceMemory
{
    static readonly string[] s_phrases = ["out of memory", "can't allocate memory", "not enough memory", "std::bad_alloc",
        "CUBLAS_STATUS_ALLOC_FAILED", "CUDNN_STATUS_ALLOC_FAILED"];

    /// <summary>True when an error says so.</summary>
    public static bool IsExhausted(Exception error) =>
        error is OutOfMemoryException
        || (error is ExternalException && s_phrases.Any(phrase => error.Message.Contains(phrase, StringComparison.OrdinalIgnoreCase)));

    internal static OutOfDeviceMemoryException Explain(EngineOptions options, int rows, Exception error) => new(
        options.Deterministic
            ? $"The device has too little memory for a forward pass of {rows} rows, the one batch shape that --deterministic "
                + $"(DeterministicBatch = {options.DeterministicBatch}) allows; free memory on the device, or run without --deterministic."
            : $"The device has too little memory for {rows} row(s) of model '{options.Name}'; free memory on the device, or use a "
                + "larger one.",
        error);
}

namespace Taba.Diffusion.Weights;

/// <summary>
/// A weights or tensor file is damaged, hostile, or of a kind that is not read. The message names the file and the fault.
/// </summary>
public sealed class WeightsFormatException : Exception
{
    public WeightsFormatException(string path, string fault)
        : base($"The file {path} cannot be read as tensors: {fault}")
    {
        Path = path;
        Fault = fault;
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>Its fault, as a sentence.</summary>
    public string Fault { get; }
}

namespace Taba;

/// <summary>The file formats that tensors are written in. Each is read by Python in one line.</summary>
public enum TensorFormat
{
    /// <summary>.safetensors: <c>safetensors.torch.load_file(path)[name]</c>.</summary>
    Safetensors,

    /// <summary>.pt: <c>torch.load(path, weights_only=True)</c>, a bare tensor.</summary>
    Pt,

    /// <summary>.npy: <c>numpy.load(path)</c>.</summary>
    Npy,
}

/// <summary>Names of <see cref="TensorFormat"/> on command lines and in file names.</summary>
public static class TensorFormats
{
    /// <summary>The ending of a file name, with the dot.</summary>
    public static string Extension(this TensorFormat format) => format switch
    {
        TensorFormat.Safetensors => ".safetensors",
        TensorFormat.Pt => ".pt",
        TensorFormat.Npy => ".npy",
        _ => throw new ArgumentOutOfRangeException(nameof(format), format, "There is no such tensor format."),
    };

    /// <summary>The format that a user names: safetensors, pt or npy, in any case, with or without a dot.</summary>
    public static bool TryParse(string? text, out TensorFormat format) =>
        Enum.TryParse(text?.TrimStart('.'), ignoreCase: true, out format) && Enum.IsDefined(format) && !char.IsAsciiDigit(text![0]);
}

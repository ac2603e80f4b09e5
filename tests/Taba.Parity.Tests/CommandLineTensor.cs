using System.Runtime.InteropServices;
using Taba.Diffusion.Tensors;
using Taba.Testing;
using static TorchSharp.torch;

namespace Taba.Parity.Tests;

/// <summary>A tensor that the command wrote: shape and values, row-major.</summary>
sealed record CommandLineTensor(ScalarType Dtype, long[] Shape, byte[] Bytes)
{
    /// <summary>float32 values; class ids as such.</summary>
    public ReadOnlySpan<float> Values => Dtype == ScalarType.Float32
        ? MemoryMarshal.Cast<byte, float>(Bytes)
        : Dtype == ScalarType.Int64 ? Array.ConvertAll(MemoryMarshal.Cast<byte, long>(Bytes).ToArray(), id => (float)id)
        : throw new InvalidOperationException($"{Dtype} was read as float32.");

    /// <summary>As Python prints the dtype.</summary>
    public string TorchDtype => $"torch.{Dtype.ToString().ToLowerInvariant()}";

    /// <summary>Reads NAME.pt, NAME.safetensors or NAME.npy of a folder.</summary>
    public static CommandLineTensor Read(string folder, string name)
    {
        var path = Directory.EnumerateFiles(folder, name + ".*").SingleOrDefault();
        Assert.True(
            path is not null,
            $"{folder} holds no {name}, but {string.Join(", ", Directory.EnumerateFiles(folder).Select(Path.GetFileName))}.");
        using var file = TensorFile.Open(path);
        var tensor = file.Single(name);
        return new(tensor.Dtype, [.. tensor.Shape], FixtureTensors.Bytes(tensor));
    }

    /// <summary>One index of the first axis; negative counts from the end.</summary>
    public ReadOnlySpan<float> At(int index)
    {
        var length = Values.Length / (int)Shape[0];
        return Values.Slice((index < 0 ? (int)Shape[0] + index : index) * length, length);
    }
}

using System.Runtime.InteropServices;
using Taba.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Taba.Testing;

/// <summary>Reads whole tensors of fixtures, which are small.</summary>
public static class FixtureTensors
{
    /// <summary>A float32 tensor as values in row-major order.</summary>
    public static float[] Floats(string path, string name)
    {
        using var file = TensorFile.Open(path);
        var tensor = file.Tensor(name);
        if (tensor.Dtype != ScalarType.Float32)
            throw new InvalidOperationException($"{path}: '{name}' holds {tensor.Dtype}, not float32.");
        return MemoryMarshal.Cast<byte, float>(Bytes(tensor)).ToArray();
    }

    /// <summary>The bytes of any tensor in row-major order.</summary>
    public static byte[] Bytes(string path, string name)
    {
        using var file = TensorFile.Open(path);
        return Bytes(file.Tensor(name));
    }

    /// <summary>The lengths of a tensor's axes.</summary>
    public static long[] Shape(string path, string name)
    {
        using var file = TensorFile.Open(path);
        return [.. file.Tensor(name).Shape];
    }

    /// <summary>The bytes of a tensor of an open file.</summary>
    public static byte[] Bytes(TensorReader tensor)
    {
        var bytes = new byte[tensor.ByteCount];
        tensor.ReadRows(0, tensor.Rows, bytes);
        return bytes;
    }
}

using System.Security.Cryptography;
using Taba.Diffusion.Tensors;
using Taba.Diffusion.Weights;
using Taba.Grains;
using Taba.Grains.Planning;
using TorchSharp;

namespace Taba.Silo.Models;

/// <summary>Tensor files that the user gives: what they hold, and the digest of their bytes.</summary>
public sealed class TensorInputFiles : IInputFiles
{
    const int ChunkBytes = 4 << 20;

    readonly Dictionary<string, InputTensor> _known = [];

    public InputTensor Describe(string path)
    {
        var full = Path.GetFullPath(path);
        if (_known.TryGetValue(full, out var known))
            return known;
        try
        {
            using var file = TensorFile.Open(full);
            var tensor = file.Single(Path.GetFileNameWithoutExtension(full));
            return _known[full] = new(full, tensor.Shape, Name(tensor.Dtype), Digest(tensor));
        }
        catch (FileNotFoundException)
        {
            throw new BadInputException($"There is no file {path}.");
        }
        catch (Exception exception) when (exception is WeightsFormatException or IOException or UnauthorizedAccessException)
        {
            throw new BadInputException(exception.Message, exception);
        }
    }

    static string Digest(TensorReader tensor)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var rows = (int)Math.Clamp(ChunkBytes / Math.Max(1, tensor.RowBytes), 1, Math.Max(1, tensor.Rows));
        var buffer = new byte[rows * tensor.RowBytes];
        for (long row = 0; row < tensor.Rows; row += rows)
        {
            var count = Math.Min(rows, tensor.Rows - row);
            var chunk = buffer.AsSpan(0, (int)(count * tensor.RowBytes));
            tensor.ReadRows(row, count, chunk);
            hash.AppendData(chunk);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    static string Name(torch.ScalarType type) => type switch
    {
        torch.ScalarType.Float32 => "float32",
        torch.ScalarType.Float16 => "float16",
        torch.ScalarType.BFloat16 => "bfloat16",
        torch.ScalarType.Float64 => "float64",
        torch.ScalarType.Int64 => "int64",
        _ => type.ToString().ToLowerInvariant(),
    };
}

using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Taba.Diffusion;
using Taba.Diffusion.Tensors;
using Taba.Diffusion.Weights;
using Taba.Grains;
using Taba.Grains.Planning;
using Taba.Grains.Sweeps;
using Taba.Silo.Conditions;

namespace Taba.Silo.Inputs;

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
            return _known[full] = Read(full, tensor);
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

    public bool ArePictures(string path) =>
        Directory.Exists(path) || Path.GetExtension(path).ToLowerInvariant() is ".png" or ".jpg" or ".jpeg";

    public ImageRows DescribePictures(string path, int height, int width) => BadInput(() =>
    {
        var folder = ImageFolder.Open(path, height, width);
        return new ImageRows(Path.GetFullPath(path), folder.ComputeDigest(), folder.Count, height, width);
    });

    public PromptRows DescribePrompts(ConditionRequest request, int samples) => BadInput(() =>
    {
        if (request.PromptsPath is { } file)
        {
            var listed = PromptSources.ReadAsync(file, null, 0, null, 1, rowByRow: true).GetAwaiter().GetResult();
            return new PromptRows(Path.GetFullPath(file), null, listed.Digest, 0, 1, listed.Prompts.Count, RowByRow: true);
        }
        var source = PromptPaths.Source(request);
        var dataset = PromptPaths.Dataset(request, source);
        var prompts = request.NPrompts ?? (samples + request.NoisesPerPrompt - 1) / request.NoisesPerPrompt;
        var drawn = PromptSources.ReadAsync(
            source, dataset, request.CondSeed, prompts, request.NoisesPerPrompt, rowByRow: false).GetAwaiter().GetResult();
        return new PromptRows(source, dataset, drawn.Digest, request.CondSeed, request.NoisesPerPrompt, samples, RowByRow: false);
    });

    static T BadInput<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (Exception exception)
            when (exception is InvalidDataException or WeightsFormatException or IOException or UnauthorizedAccessException)
        {
            throw new BadInputException(exception.Message, exception);
        }
    }

    static InputTensor Read(string path, TensorReader tensor)
    {
        var labels = tensor.Dtype.Name() == "int64" && tensor.Shape.Count == 1 && tensor.Rows > 0;
        var (least, leastRow, most, mostRow) = (long.MaxValue, 0L, long.MinValue, 0L);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var rows = (int)Math.Clamp(ChunkBytes / Math.Max(1, tensor.RowBytes), 1, Math.Max(1, tensor.Rows));
        var buffer = new byte[rows * tensor.RowBytes];
        for (long row = 0; row < tensor.Rows; row += rows)
        {
            var count = Math.Min(rows, tensor.Rows - row);
            var chunk = buffer.AsSpan(0, (int)(count * tensor.RowBytes));
            tensor.ReadRows(row, count, chunk);
            hash.AppendData(chunk);
            if (labels)
                Widen(MemoryMarshal.Cast<byte, long>(chunk), row);
        }
        return new(path, tensor.Shape, tensor.Dtype.Name(), Convert.ToHexStringLower(hash.GetHashAndReset()))
        {
            Range = labels ? (least, leastRow, most, mostRow) : null,
        };

        void Widen(ReadOnlySpan<long> values, long first)
        {
            for (var i = 0; i < values.Length; i++)
            {
                if (values[i] < least)
                    (least, leastRow) = (values[i], first + i);
                if (values[i] > most)
                    (most, mostRow) = (values[i], first + i);
            }
        }
    }
}

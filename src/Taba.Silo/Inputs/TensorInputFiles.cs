using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Taba.Diffusion;
using Taba.Diffusion.Metrics.Pictures;
using Taba.Diffusion.Tensors;
using Taba.Diffusion.Weights;
using Taba.Grains;
using Taba.Grains.Planning;
using Taba.Grains.Sweeps;
using Taba.Silo.Conditions;
using Taba.Silo.Models;

namespace Taba.Silo.Inputs;

/// <summary>Tensor files that the user gives: what they hold, and the digest of their bytes.</summary>
/// <param name="features">Finds digests of networks; null remembers none.</param>
public sealed class TensorInputFiles(FeatureFiles? features = null) : IInputFiles
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

    public (FeatureFile File, int Values) DescribeFeatures(string network, string path) =>
        (features ?? new FeatureFiles(null)).Describe(network, path);

    public PictureSet DescribeReference(string path) => BadInput(() =>
    {
        var full = Path.GetFullPath(path);
        if (!Path.Exists(full))
            throw new FileNotFoundException($"There is no file or folder {path}, which reference names.");
        if (ArePictures(full))
        {
            var folder = ImageFolder.Open(full, 1, 1);
            var digest = folder.ComputeDigest();
            // Of no size: each picture has its own.
            return new PictureSet(new ImageRows(full, digest, folder.Count, 0, 0), full, digest, folder.Count, default);
        }
        if (Path.GetExtension(full) == ".npz")
        {
            FeatureStatistics.Open(full);
            return new PictureSet(null, full, WeightDigest.Compute(full), 0, default);
        }
        var tensor = Describe(full);
        return tensor.Shape is [> 0 and <= int.MaxValue, 1 or 3, > 0 and <= ushort.MaxValue, > 0 and <= ushort.MaxValue]
            && Dtypes.Find(tensor.Dtype) is not null
            ? new PictureSet(
                new FileRows(full, tensor.Digest, (int)tensor.Shape[0]), full, tensor.Digest, (int)tensor.Shape[0],
                new((int)tensor.Shape[1], (int)tensor.Shape[2], (int)tensor.Shape[3]))
            : throw new InvalidDataException(
                $"reference {path} holds {tensor.Dtype} [{string.Join(", ", tensor.Shape)}]: pictures are floating-point numbers "
                + "[N, 3, H, W], or [N, 1, H, W].");
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

using Taba.Diffusion.Tensors;
using Taba.Storage.Manifests;
using Taba.Storage.Objects;
using static TorchSharp.torch;

namespace Taba.Scale;

/// <summary>Fills an empty place with a stage, every row of it published, 32 a part.</summary>
static class StoreFill
{
    const int Writers = 32;

    /// <param name="rows">A multiple of a cell's rows.</param>
    /// <param name="folder">A folder for a file.</param>
    public static async Task FillAsync(IObjectStore place, StageSpec spec, int rows, string folder, CancellationToken cancellationToken)
    {
        var store = new TensorStore(new FillingObjects(place));
        var (key, name) = (StageKey.Of(spec), spec.ResultName);
        await store.DescribeStageAsync(key, spec, cancellationToken);
        // All parts have the same numbers, and each an object of its own.
        var data = new byte[CellGrid.Rows * sizeof(float)];
        var (bytes, offset) = await ObjectAsync(name, data, Path.Combine(folder, "object"), cancellationToken);
        var limits = new ParallelOptions { MaxDegreeOfParallelism = Writers, CancellationToken = cancellationToken };
        await Parallel.ForAsync(0, rows / CellGrid.Rows, limits, async (cell, token) =>
        {
            var part = CellGrid.RowsOf(cell * CellGrid.Rows);
            var attempt = new PartAttempt(key, part.Start, cell + 1, Guid.NewGuid());
            var scratch = store.ScratchPath(attempt, name);
            await File.WriteAllBytesAsync(scratch, bytes, token);
            var path = await store.PutAsync(attempt, name, token);
            Directory.Delete(Path.GetDirectoryName(scratch)!, recursive: true);
            var manifest = SimulatedPart.Manifest(
                attempt, part, name, data, (path, offset), part.Count * spec.EvaluationsPerRow, TimeProvider.System.GetUtcNow());
            if (!await store.PublishAsync(manifest, token))
                throw new InvalidOperationException($"The place was not empty: rows {part} are there.");
        });
    }

    static async Task<(byte[] Bytes, long Offset)> ObjectAsync(string name, byte[] data, string path, CancellationToken cancellationToken)
    {
        using var file = TensorFileWriter.Create(
            path, TensorFormat.Safetensors, name, ScalarType.Float32, [.. SimulatedPart.Shape(CellGrid.Rows)]);
        file.Write(data);
        file.Complete();
        return (await File.ReadAllBytesAsync(path, cancellationToken), file.DataOffset);
    }
}

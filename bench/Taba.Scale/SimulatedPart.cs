using System.Collections.Immutable;
using System.Security.Cryptography;
using Taba.Diffusion.Tensors;
using Taba.Storage.Manifests;
using Taba.Storage.Objects;
using static TorchSharp.torch;

namespace Taba.Scale;

/// <summary>A part whose rows are one float each.</summary>
static class SimulatedPart
{
    /// <summary>The shape of a part's object.</summary>
    public static ImmutableArray<long> Shape(int rows) => [rows, 1, 1, 1];

    /// <summary>Writes an object of zeros.</summary>
    /// <param name="kind">None for the result.</param>
    /// <param name="steps">The steps of a kept tensor.</param>
    public static async Task<ObjectEntry> PutAsync(
        TensorStore store, PartAttempt attempt, string name, TensorKinds kind, ImmutableArray<int> steps, int rows,
        CancellationToken cancellationToken)
    {
        var shape = kind == TensorKinds.None ? Shape(rows) : [steps.Length, .. Shape(rows)];
        var bytes = new byte[rows * Math.Max(1, steps.Length) * sizeof(float)];
        long offset;
        using (var file = TensorFileWriter.Create(
            store.ScratchPath(attempt, name), TensorFormat.Safetensors, name, ScalarType.Float32, [.. shape]))
        {
            file.Write(bytes);
            file.Complete();
            offset = file.DataOffset;
        }
        var path = await store.PutAsync(attempt, name, cancellationToken);
        return new(name, kind, steps, path, shape, "float32", offset, bytes.Length, Convert.ToHexStringLower(SHA256.HashData(bytes)));
    }

    /// <param name="objects">They are there.</param>
    /// <param name="evaluations">Of all rows.</param>
    public static PartManifest Manifest(
        PartAttempt attempt, RowRange rows, ImmutableArray<ObjectEntry> objects, long evaluations, bool supplement, DateTimeOffset now) =>
        new()
        {
            StageKey = attempt.StageKey,
            RowStart = rows.Start,
            RowEnd = rows.End,
            Supplement = supplement,
            Epoch = attempt.Epoch,
            Attempt = attempt.Id,
            Objects = objects,
            Evaluations = evaluations,
            Device = "simulated",
            PublishedAt = now,
        };

    /// <param name="data">The tensor's bytes.</param>
    /// <param name="path">The object, which is there, and where its bytes begin.</param>
    /// <param name="evaluations">Of all rows.</param>
    public static PartManifest Manifest(
        PartAttempt attempt, RowRange rows, string name, byte[] data, (string Name, long Offset) path, long evaluations,
        DateTimeOffset now) => Manifest(
        attempt, rows,
        [
            new(
                name, TensorKinds.None, [], path.Name, Shape(rows.Count), "float32", path.Offset, data.Length,
                Convert.ToHexStringLower(SHA256.HashData(data))),
        ],
        evaluations, supplement: false, now);
}

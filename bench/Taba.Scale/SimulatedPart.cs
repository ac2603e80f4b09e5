using System.Collections.Immutable;
using System.Security.Cryptography;
using Taba.Storage.Manifests;

namespace Taba.Scale;

/// <summary>A part whose rows are one float each.</summary>
static class SimulatedPart
{
    /// <summary>The shape of a part's object.</summary>
    public static ImmutableArray<long> Shape(int rows) => [rows, 1, 1, 1];

    /// <param name="data">The tensor's bytes.</param>
    /// <param name="path">The object, which is there, and where its bytes begin.</param>
    /// <param name="evaluations">Of all rows.</param>
    public static PartManifest Manifest(
        PartAttempt attempt, RowRange rows, string name, byte[] data, (string Name, long Offset) path, long evaluations,
        DateTimeOffset now) =>
        new()
        {
            StageKey = attempt.StageKey,
            RowStart = rows.Start,
            RowEnd = rows.End,
            Epoch = attempt.Epoch,
            Attempt = attempt.Id,
            Objects =
            [
                new(
                    name, TensorKinds.None, [], path.Name, Shape(rows.Count), "float32", path.Offset, data.Length,
                    Convert.ToHexStringLower(SHA256.HashData(data))),
            ],
            Evaluations = evaluations,
            Device = "simulated",
            PublishedAt = now,
        };
}

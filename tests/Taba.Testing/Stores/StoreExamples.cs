using System.Collections.Immutable;
using System.Security.Cryptography;
using Taba.Storage.Manifests;
using Taba.Storage.Objects;

namespace Taba.Testing.Stores;

/// <summary>Stages, attempts and manifests for tests.</summary>
public static class StoreExamples
{
    public const string Key = "0123456789abcdef0123456789abcdef";

    public static readonly DateTimeOffset Noon = new(2025, 1, 2, 12, 0, 0, TimeSpan.Zero);

    public static PartAttempt Attempt(int rowStart = 0, int epoch = 1, string key = Key) => new(key, rowStart, epoch, Guid.NewGuid());

    public static StageSpec Spec() => new()
    {
        Kind = StageKind.Sample,
        Model = new("d1", "gaussian", "model.json", null, 3, 2, 2),
        NumInferenceSteps = 10,
        Precision = new(Dtype.Float32, Dtype.Float32, Dtype.Float32),
        Input = new NoiseRows(NoiseLayout.Upstream, 420, Dtype.Float32, 64),
    };

    /// <summary>Writes an object of an attempt and puts it.</summary>
    public static async Task<ObjectEntry> PutAsync(
        TensorStore store, PartAttempt attempt, byte[] bytes, string name = "samples", TensorKinds kind = TensorKinds.None,
        params int[] steps)
    {
        await File.WriteAllBytesAsync(store.ScratchPath(attempt, name), bytes);
        var path = await store.PutAsync(attempt, name, CancellationToken.None);
        return new(
            name, kind, [.. steps], path, [1, bytes.Length], "uint8", 0, bytes.Length, Convert.ToHexStringLower(SHA256.HashData(bytes)));
    }

    public static PartManifest Manifest(PartAttempt attempt, RowRange rows, params ImmutableArray<ObjectEntry> objects) => new()
    {
        StageKey = attempt.StageKey,
        RowStart = rows.Start,
        RowEnd = rows.End,
        Epoch = attempt.Epoch,
        Attempt = attempt.Id,
        Objects = objects,
        Evaluations = 7,
        Device = "cpu",
        PublishedAt = Noon,
    };

    /// <summary>Puts one object and publishes it for these rows.</summary>
    public static async Task<bool> PublishAsync(TensorStore store, PartAttempt attempt, RowRange rows, byte fill = 1) =>
        await store.PublishAsync(Manifest(attempt, rows, await PutAsync(store, attempt, [fill, fill])), CancellationToken.None);

    public static byte[] ReadAll(TensorStore store, string path)
    {
        using var reader = store.Open(path) ?? throw new StoreException($"{path} is gone");
        var bytes = new byte[reader.Length];
        reader.Read(0, bytes);
        return bytes;
    }
}

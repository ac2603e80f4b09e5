using System.Text.Json;
using Taba.Testing;
using static TorchSharp.torch;

namespace Taba.Diffusion.Tests.Models;

/// <summary>The configs of published models with the reference's lists of their parameters.</summary>
static class PublishedConfigs
{
    /// <summary>The configs whose names begin so.</summary>
    public static TheoryData<string> Named(string prefix) =>
    [
        .. Fixtures.Cases("configs", "config.json").Select(folder => Path.GetFileName(folder))
            .Where(name => name.StartsWith(prefix, StringComparison.Ordinal)),
    ];

    /// <summary>Names, shapes, order and count are the reference's.</summary>
    /// <param name="name">Of the config.</param>
    /// <param name="parameters">Ours.</param>
    /// <param name="tied">A second name of a tensor, which the reference lists and counts too.</param>
    public static void RequireManifest(string name, IReadOnlyList<KeyValuePair<string, long[]>> parameters, string? tied = null)
    {
        using var document = JsonDocument.Parse(File.ReadAllText(Fixtures.At($"manifests/{name}.json")));
        var root = document.RootElement;
        Assert.Equal(
            root.GetProperty("state_dict").EnumerateObject().Where(p => p.Name != tied)
                .Select(p => $"{p.Name} {p.Value.GetRawText().Replace(" ", "", StringComparison.Ordinal)}"),
            parameters.Select(p => $"{p.Key} [{string.Join(",", p.Value)}]"));
        var twice = tied is not null && root.GetProperty("state_dict").TryGetProperty(tied, out var shape)
            ? shape.EnumerateArray().Aggregate(1L, (n, size) => n * size.GetInt64())
            : 0;
        Assert.Equal(root.GetProperty("n_params").GetInt64(), twice + parameters.Sum(p => p.Value.Aggregate(1L, (a, b) => a * b)));
    }

    /// <summary>Parameters on the meta device, where tensors have shapes and no memory.</summary>
    public static Dictionary<string, Tensor> OnMeta(IReadOnlyList<KeyValuePair<string, long[]>> parameters) =>
        parameters.ToDictionary(p => p.Key, p => Meta(p.Value).DetachFromDisposeScope(), StringComparer.Ordinal);

    static Tensor Meta(params long[] shape) => empty(shape, dtype: ScalarType.Float32, device: new Device("meta"));
}

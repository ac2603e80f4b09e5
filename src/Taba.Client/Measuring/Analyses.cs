using System.Text.Json.Nodes;
using Taba.Client.Folders;
using Taba.Diffusion.Metrics;

namespace Taba.Client.Measuring;

/// <summary>Every analysis that there is (docs/design/analyses.md).</summary>
static class Analyses
{
    public static IReadOnlyList<Analysis> All { get; } =
    [
        new(
            "paper", "upstream's metrics.json: patch correlation with its floor, moments, errors", [Role.Latents],
            (run, cancellation) => FolderMetrics.Compute(run.Folder, run.Images, cancellation).Metrics),
        new(
            "correlation", "patch correlation of every tensor: the 20 strongest of each 8x8 patch", [],
            (run, cancellation) => OfEach(run, rows => Correlation(rows, cancellation))),
        .. OfPairs.All,
        .. OfSets.All,
        new(
            "moments", "mean and deviation of every tensor", [], (run, cancellation) => OfEach(run, rows => MomentsOf(rows, cancellation))),
    ];

    /// <summary>Measures each tensor that is there, and each file once.</summary>
    static JsonObject OfEach(MeasuredRun run, Func<TensorFileRows, JsonObject> measure)
    {
        var numbers = new JsonObject();
        foreach (var role in Enum.GetValues<Role>())
        {
            if (run.Tensor(role) is { } rows && !numbers.ContainsKey(run.NameOf(role)))
                numbers[run.NameOf(role)] = measure(rows);
        }
        return numbers;
    }

    static JsonObject Correlation(TensorFileRows rows, CancellationToken cancellationToken)
    {
        using var correlation = new PatchCorrelation(rows.Shape);
        while (correlation.Pass < correlation.PassCount)
        {
            foreach (var chunk in rows.Chunks(cancellationToken))
                correlation.Add(chunk.Span);
            correlation.EndPass();
        }
        var found = correlation.Compute();
        return new() { ["mean"] = found.Mean, ["std"] = found.Std };
    }

    static JsonObject MomentsOf(TensorFileRows rows, CancellationToken cancellationToken)
    {
        var moments = new MomentsAccumulator();
        foreach (var chunk in rows.Chunks(cancellationToken))
            moments.Add(chunk.Span);
        return new() { ["mean"] = moments.Value.Mean, ["std"] = moments.Value.Std };
    }
}

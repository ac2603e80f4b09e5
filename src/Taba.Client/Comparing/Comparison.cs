using Taba.Client.Reports;
using Taba.Diffusion.Metrics.Uncertainty;
using Taba.Grains;
using Taba.Storage.RunFolders;

namespace Taba.Client.Comparing;

/// <summary>A metric of two runs, with 95 % intervals over samples where they are known.</summary>
/// <param name="A">Null when that run does not have it.</param>
/// <param name="Between">How sure B - A is; null when one of the runs does not say, or has another N.</param>
sealed record MetricDifference(
    string Name, double? A, Interval? OfA, double? B, Interval? OfB, Interval? Between, double? PValue)
{
    public double? Difference => B - A;

    /// <summary>True when the samples tell the two apart.</summary>
    public bool IsTold => Between is { } interval && !interval.Holds(0);
}

/// <summary>Two runs side by side.</summary>
sealed record RunComparison(RunPair Pair, IReadOnlyList<MetricDifference> Metrics, IReadOnlyList<TensorDifference> Tensors);

/// <summary>Two runs, or two sweeps, side by side.</summary>
/// <param name="A">The folder as it was given.</param>
/// <param name="Settings">What differs in all runs.</param>
sealed record Comparison(
    string A, string B, IReadOnlyList<SettingDifference> Settings, IReadOnlyList<RunComparison> Runs, IReadOnlyList<ReportRun> OnlyA,
    IReadOnlyList<ReportRun> OnlyB)
{
    /// <exception cref="BadInputException">One of them is no folder with runs, or nothing in one has a partner in the other.</exception>
    public static Comparison Of(string a, string b, CancellationToken cancellationToken)
    {
        var (left, right) = (Read(a), Read(b));
        var pairs = RunPairs.Of(left, right);
        if (pairs.Pairs.Count == 0)
            throw new BadInputException(
                $"No run of {a} has the axes and the intervention of a run of {b}: give two runs, or two sweeps that have some in common.");
        return new(
            a, b, RunFields.Differences(left, right),
            [
                .. pairs.Pairs.Select(pair => new RunComparison(
                    pair, Metrics(pair), [.. TensorDifference.Of(pair.A, pair.B, cancellationToken)])),
            ],
            pairs.OnlyA, pairs.OnlyB);
    }

    static IReadOnlyList<ReportRun> Read(string folder) => Directory.Exists(folder)
        ? RunSearch.In(OutputFolder.At(folder), ours: false)
        : throw new BadInputException($"There is no folder {folder}.");

    static IReadOnlyList<MetricDifference> Metrics(RunPair pair) =>
    [
        .. pair.A.Metrics.Keys.Union(pair.B.Metrics.Keys).Select(m =>
        {
            var between = PlainDifference.Between(pair.B, pair.A, m);
            return new MetricDifference(
                m, pair.A.Metric(m), pair.A.Interval(m), pair.B.Metric(m), pair.B.Interval(m), between?.Interval, between?.PValue);
        }),
    ];
}

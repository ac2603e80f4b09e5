using System.Collections.Immutable;
using System.Globalization;
using Taba.Client.Reports;
using Taba.Client.Running;
using Taba.Silo.Outputs;
using Taba.Storage.RunFolders;

namespace Taba.Client.Tests;

/// <summary>The smallest K whose latents lie at the floor, and how several seeds and forward seeds are counted.</summary>
public sealed class ChosenKTests
{
    [Fact]
    public void Choice_OfSeveralK_IsTheSmallestAtTheFloorWithItsCost()
    {
        var group = Group(
            Run(0, above: (0.02, 0.04), error: 0.10), Run(1, above: (0.01, 0.03), error: 0.11), Run(3, above: (-0.01, 0.01), error: 0.13),
            Run(5, above: (-0.02, 0.01), error: 0.17));

        var choice = Assert.Single(ChosenK.Of(group));

        Assert.Equal(3, choice.Point!.Before);
        Assert.Equal([1, 3, 5], choice.Tried);
        Assert.Equal(0.03, choice.Cost!.Mean, 1e-12);
        Assert.StartsWith(
            "Of forward with K = 1, 3, 5, K = 3 is the smallest whose latents lie at the noise floor: at N = 256 they are not told apart "
            + "from noise. It changes the error of reconstructed images by +0.03",
            choice.Sentence(256), StringComparison.Ordinal);
        Assert.Contains(choice.Sentence(256), GroupSummary.Of(group)!, StringComparison.Ordinal);
        Assert.Contains("  forward: K = 3 is the smallest of 3 K at the floor", FindingText.Lines([group]));
        Assert.Contains(FindingText.Lines([group]), line => line.StartsWith("    image error +0.03", StringComparison.Ordinal));
    }

    [Fact]
    public void Choice_WhereNoneIsAtTheFloor_SaysSoAndNamesTheNearest()
    {
        var group = Group(
            Run(0, above: (0.05, 0.07)), Run(1, above: (0.03, 0.05)), Run(3, above: (0.01, 0.03)), Run(5, above: (0.02, 0.04)));

        var choice = Assert.Single(ChosenK.Of(group));

        Assert.Null(choice.Point);
        Assert.Contains(
            "no K brings the latents to the noise floor: K = 3 comes nearest and is 0.0200 (0.0100 to 0.0300) above it",
            choice.Sentence(256), StringComparison.Ordinal);
        Assert.Contains("  forward: none of 3 K is at the floor; K = 3 is 0.0200 ± 0.010 above", FindingText.Lines([group]));
    }

    [Fact]
    public void Choice_WhereThereIsNothingToChoose_IsNone()
    {
        // Plain inversion is at the floor itself; one K only; no interval; noise that fills the scale.
        Assert.Empty(ChosenK.Of(Group(Run(0, above: (-0.01, 0.01)), Run(1, above: (-0.01, 0.01)), Run(3, above: (-0.01, 0.01)))));
        Assert.Empty(ChosenK.Of(Group(Run(0, above: (0.01, 0.03)), Run(1, above: (-0.01, 0.01)))));
        Assert.Empty(ChosenK.Of(Group(Run(0, above: (0.01, 0.03)), Run(1), Run(3))));
        Assert.Empty(ChosenK.Of(Group(
            [.. new[] { 0, 1, 3 }.Select(k => Run(k, above: (k == 0 ? 0.01 : -0.01, 0.02), floor: 0.95))])));
    }

    /// <summary>Student's interval over two values holds nearly everything: it alone would put any two runs at the floor.</summary>
    [Fact]
    public void Choice_OfTwoSeeds_NeedsThatTheirSamplesDoNotTellThemApart()
    {
        var group = Group(
        [
            .. Seeds(0, (0.04, 0.08), (0.0399, 0.0799)), .. Seeds(1, (0.02, 0.04), (0.03, 0.07)), .. Seeds(3, (-0.02, 0.02), (-0.01, 0.03)),
        ]);
        Assert.Equal([FloorVerdict.Above, FloorVerdict.NotToldApart, FloorVerdict.NotToldApart], group.Points.Select(p => p.Verdict));
        Assert.Equal(3, Assert.Single(ChosenK.Of(group)).Point!.Before);

        static ReportRun[] Seeds(int k, params (double, double)[] above) => [.. above.Select((a, i) => Run(k, above: a, sampling: i))];
    }

    /// <summary>Two runs of other forward noise may agree by chance: that says nothing of other samples.</summary>
    [Fact]
    public void Mean_OverForwardSeeds_IsAsSureAsItsSamplesAre()
    {
        var group = Group(
            Run(0, above: (0.05, 0.07)), Run(1, above: (-0.01, 0.03), seed: 42), Run(1, above: (-0.009, 0.0312), seed: 21),
            Run(3, above: (-0.02, 0.02)));
        var above = group.Points[1].AboveFloor!.Value;
        Assert.Equal((2, true), (above.Count, above.IsOverSamples));
        Assert.Equal([0.01055, -0.0095, 0.0306], new[] { above.Mean, above.Interval!.Value.Low, above.Interval.Value.High }.Select(
            value => Math.Round(value, 12)));
        Assert.Equal(1, Assert.Single(ChosenK.Of(group)).Point!.Before);
    }

    [Fact]
    public void Difference_OverForwardSeeds_IsPairedOverTheSamples()
    {
        double[] rows = [.. Enumerable.Range(0, 20).Select(i => 0.05 * Math.Sin(i))];
        var plain = Replicated(Run(0, error: 0.1), rows.Select(r => 0.1 + r));
        var (one, two) = (
            Replicated(Run(1, error: 0.12, seed: 42), rows.Select((r, i) => 0.12 + r + (0.001 * Math.Cos(i * i)))),
            Replicated(Run(1, error: 0.14, seed: 21), rows.Select((r, i) => 0.14 + r - (0.001 * Math.Cos(i * i)))));
        var alone = Difference(plain, one);
        var both = Difference(plain, one, two);
        Assert.Equal((0.03, 1), (Math.Round(both.Mean, 12), both.Pairs));
        // What the two leave of each other is nothing, while their distance of 0.02 would be all of Student's interval.
        Assert.True(both.Interval is null || both.Interval.Value.High - both.Interval.Value.Low < 1e-9);
        Assert.InRange(alone.Interval!.Value.High - alone.Interval.Value.Low, 1e-4, 0.01);

        PlainDifference Difference(params ReportRun[] runs) =>
            PlainDifference.Of(Group(runs).Points[1], Group(runs).Plain, MetricKeys.ImageError)!;
    }

    /// <summary>Runs of one seed share their samples: four runs of two seeds are two independent values.</summary>
    [Fact]
    public void Mean_OverSeedsAndForwardSeeds_CountsEachSeedOnce()
    {
        ReportRun[] runs =
        [
            .. new (int Seed, double Value)[] { (1, 0.30), (2, 0.40) }.SelectMany(s => new[] { 42, 21 }.Select(
                forward => Run(1, correlation: s.Value + (forward == 42 ? 0.01 : -0.01), seed: forward, sampling: s.Seed))),
        ];
        var of = Group(runs).Points.Single().Metric(MetricKeys.Correlation)!.Value;
        Assert.Equal((0.35, 2), (of.Mean, of.Count));
        // 12.706 standard errors of two values 0.1 apart, to each side.
        Assert.Equal(2 * 12.7062 * 0.05, of.Interval!.Value.High - of.Interval.Value.Low, 1e-3);

        var alone = Group(runs[..2]).Points.Single().Metric(MetricKeys.Correlation)!.Value;
        Assert.Equal((0.30, 2), (alone.Mean, alone.Count));

        ReportRun[] plain = [Run(0, error: 0.1, sampling: 1), Run(0, error: 0.1, sampling: 2)];
        var group = Group([.. plain, .. runs.Select((r, i) => WithError(r, 0.1 + (0.01 * (i / 2)) + (0.001 * (i % 2))))]);
        var change = PlainDifference.Of(group.Points[1], group.Plain, MetricKeys.ImageError)!;
        Assert.Equal(0.0055, change.Mean, 1e-12);
        Assert.Equal(2 * 12.7062 * 0.005, change.Interval!.Value.High - change.Interval.Value.Low, 1e-4);
    }

    static ReportGroup Group(params ReportRun[] runs) => Assert.Single(ReportGroup.Of(runs.Select(r => new RunSection(r, []))));

    static ReportRun Replicated(ReportRun run, IEnumerable<double> replicates) => run with
    {
        Intervals = new Dictionary<string, RunInterval> { [MetricKeys.ImageError] = new(new(0, 1), null, [.. replicates]) },
    };

    static ReportRun WithError(ReportRun run, double error) =>
        run with { Metrics = new Dictionary<string, double>(run.Metrics) { [MetricKeys.ImageError] = error } };

    static ReportRun Run(
        int before, (double Low, double High)? above = null, double? correlation = null, double error = 0.1, double floor = 0.2,
        long seed = 9, int sampling = 1) => new(
        OutputFolder.At("/tmp/r"),
        new RunFolder
        {
            Sweep = "demo",
            SweepId = "id",
            Run = $"{before}-{seed}-{sampling}",
            Axes = ImmutableSortedDictionary<string, string>.Empty.Add("model", "demo").Add("num_inference_steps", "10")
                .Add("seed", sampling.ToString(CultureInfo.InvariantCulture)),
            InterventionFields = before == 0 ? null : new("forward", before) { ForwardSeed = seed, ForwardAlignment = "upstream" },
            RowStart = 0,
            RowEnd = 256,
            Model = new("adm", "/m/model.json", null, "0123456789abcdef0123", [3, 32, 32]),
            Stages = [new("invert", $"key {before} {seed} {sampling}", ImmutableSortedDictionary<string, string>.Empty, [990f], 160, [])],
            Tensors = [],
            Device = "cpu",
            Versions = ImmutableSortedDictionary<string, string>.Empty,
            WrittenAt = DateTimeOffset.UnixEpoch,
        },
        new Dictionary<string, double>
        {
            [MetricKeys.Correlation] = correlation ?? floor + (above is { } a ? (a.Low + a.High) / 2 : 0.01), [MetricKeys.Floor] = floor,
            [MetricKeys.ImageError] = error,
        },
        new Dictionary<string, string>())
        {
            Below = $"{before}-{seed}-{sampling}",
            Intervals = above is { } known
                ? new Dictionary<string, RunInterval> { [MetricKeys.AboveFloor] = new(new(known.Low, known.High), null, []) }
                : new Dictionary<string, RunInterval>(),
        };
}

using System.Text.Json.Nodes;
using Taba.Diffusion.Metrics;
using Taba.Diffusion.Metrics.Analyses;
using Taba.Diffusion.Metrics.Experiments;

namespace Taba.Diffusion.Tests.Metrics.Analyses;

public sealed class AnalysisPartsTests
{
    static readonly Analysis[] s_all = [.. AllAnalyses.List, .. AllAnalyses.OfSteps];

    public static TheoryData<string> InParts => [.. s_all.Where(a => a.InParts).Select(a => a.Name)];

    [Theory]
    [MemberData(nameof(InParts))]
    public void Measure_PartsWrittenReadAndMerged_EqualTheWhole(string name) => InPartsAsWhole(name, new RandomRun());

    [Fact]
    public void Measure_RunWithoutItsNoise_IsHeldAgainstWhiteNoiseInPartsAsWhole()
    {
        var found = InPartsAsWhole("paper", new RandomRun(TensorRole.Latents));

        Assert.Equal(["correlation", "latent_stats", "noise_correlation"], found.Metrics.Select(m => m.Key));
        Assert.Equal(
            NoiseFloor.Correlation(new(NoiseLayout.PerSample, 0, Dtype.Float32, NoiseStream.Initial, new(3, 16, 16), 96), 96).Mean,
            found.Metrics["noise_correlation"]!["mean"]!.GetValue<double>(), 1e-9);
        Assert.NotNull(found.Intervals["correlation_above_noise"]);
    }

    static ExperimentNumbers InPartsAsWhole(string name, RandomRun run)
    {
        var analysis = s_all.Single(a => a.Name == name);
        var whole = analysis.Measure(run, CancellationToken.None);

        using var merged = Part(0, 1);
        foreach (var (first, count) in new[] { (1, 30), (31, 0), (31, 65) })
        {
            using var part = Part(first, count);
            merged.Merge(part);
        }
        var parts = merged.Compute();

        Assert.NotEmpty(whole.Metrics);
        Same(whole.Metrics, parts.Metrics, name);
        Same(whole.Intervals, parts.Intervals, name);
        return parts;

        RunAnalysis Part(int first, int count)
        {
            using var measured = analysis.Begin(run, first);
            measured.Measure(first, count, CancellationToken.None);
            var bytes = new MemoryStream();
            measured.Write(new(bytes));
            bytes.Position = 0;
            var read = analysis.Begin(run, first);
            read.Read(new(bytes));
            Assert.Equal(bytes.Length, bytes.Position);
            return read;
        }
    }

    [Fact]
    public void Read_SumsOfAnotherAnalysis_AreRefused()
    {
        var run = new RandomRun();
        var bytes = new MemoryStream();
        using (var geometry = AllAnalyses.Find("geometry")!.Begin(run))
            geometry.Write(new(bytes));
        bytes.Position = 0;

        using var divergence = AllAnalyses.Find("divergence")!.Begin(run);
        Assert.Throws<InvalidDataException>(() => divergence.Read(new(bytes)));
    }

    [Fact]
    public void WhyNot_TensorIsMissing_NamesIt() =>
        Assert.Equal("the folder has no noise, no latents", AllAnalyses.Find("divergence")!.WhyNot(new RandomRun(TensorRole.Samples)));

    static void Same(JsonNode? expected, JsonNode? actual, string where)
    {
        switch (expected)
        {
            case JsonObject members:
                Assert.Equal(members.Select(m => m.Key), Assert.IsType<JsonObject>(actual).Select(m => m.Key));
                foreach (var (key, value) in members)
                    Same(value, actual[key], $"{where}.{key}");
                break;
            case JsonArray items:
                Assert.Equal(items.Count, Assert.IsType<JsonArray>(actual).Count);
                for (var i = 0; i < items.Count; i++)
                    Same(items[i], actual[i], $"{where}[{i}]");
                break;
            default:
                var (a, b) = (Convert.ToDouble(expected!.ToString()), Convert.ToDouble(actual!.ToString()));
                Assert.True(Math.Abs(a - b) <= 1e-9 * Math.Max(1e-3, Math.Abs(a)), $"{where}: {a} and {b}");
                break;
        }
    }

    /// <summary>96 samples that lie between their noise and something else.</summary>
    sealed class RandomRun(params TensorRole[] there) : IRunTensors
    {
        static readonly StateShape s_shape = new(3, 16, 16);

        readonly Dictionary<TensorRole, InMemory> _tensors = Tensors();

        public IMetricRows? Tensor(TensorRole role) =>
            there.Length == 0 || there.Contains(role) ? _tensors[role] : null;

        public IReadOnlyList<IMetricRows>? Steps(TrajectoryRole role) => role
            is TrajectoryRole.SamplingStates or TrajectoryRole.SamplingPredictions
            ? [_tensors[TensorRole.Noise], _tensors[TensorRole.Latents], _tensors[TensorRole.Samples]]
            : [_tensors[TensorRole.Samples], _tensors[TensorRole.Reconstructions], _tensors[TensorRole.Latents]];

        public string NameOf(TensorRole role) => role switch
        {
            TensorRole.Images => "samples",
            TensorRole.ReconstructedImages => "samples2",
            _ => role.ToString().ToLowerInvariant(),
        };

        static Dictionary<TensorRole, InMemory> Tensors()
        {
            var random = new Random(3);
            var noise = Rows(i => Normal(random));
            var samples = Rows(i => MathF.Tanh(noise.Values[i] * 0.1f + (i / 16 % 16 < 8 ? 0.01f : Normal(random))));
            var latents = Rows(i => 0.9f * noise.Values[i] + 0.2f * samples.Values[i] + 0.1f * Normal(random));
            var reconstructions = Rows(i => samples.Values[i] + 0.05f * Normal(random));
            return new()
            {
                [TensorRole.Noise] = noise,
                [TensorRole.Latents] = latents,
                [TensorRole.Samples] = samples,
                [TensorRole.Images] = samples,
                [TensorRole.Reconstructions] = reconstructions,
                [TensorRole.ReconstructedImages] = reconstructions,
            };
        }

        static InMemory Rows(Func<int, float> of) => new([.. Enumerable.Range(0, 96 * (int)s_shape.Elements).Select(of)]);

        static float Normal(Random random) =>
            (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));

        sealed class InMemory(float[] values) : IMetricRows
        {
            public float[] Values => values;

            public string Identity => $"{GetHashCode()}";

            public StateShape Shape => s_shape;

            public long Rows => values.Length / RowLength;

            public int RowLength => (int)s_shape.Elements;

            public void Read(long first, Span<float> destination) =>
                values.AsSpan((int)first * RowLength, destination.Length).CopyTo(destination);
        }
    }
}

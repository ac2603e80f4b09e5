using System.Text.Json.Nodes;
using Taba.Diffusion.Metrics;
using Taba.Diffusion.Metrics.Analyses;
using Taba.Grains.Sweeps;
using Taba.Silo.Outputs;
using Taba.Storage.RunFolders;
using Taba.Testing.Stores;

namespace Taba.Silo.Tests.Outputs;

/// <summary>Whose numbers a run's folder has where a stage has measured it.</summary>
public sealed class MeasuredBlocksTests(ComputedSweep sweep) : IClassFixture<ComputedSweep>, IDisposable
{
    readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Write_EveryBlockIsPublished_HasTheNumbersOfTheBlocks()
    {
        var run = Measured("a0");
        // Of other rows, so that they cannot be taken for those of the writer.
        var other = new OtherRows(run);
        await PublishAsync(run, other, blocks: MeasureSetting.Blocks);

        var metrics = await WriteAsync(run);

        using var whole = new AnalysisSet([AllAnalyses.Paper], other);
        whole.Measure(0, run.Rows.Count, CancellationToken.None);
        var expected = whole.Compute()[AllAnalyses.Paper].Metrics;
        Assert.Equal((double)expected["correlation"]!["mean"]!, (double)metrics["correlation"]!["mean"]!, 1e-9);
        Assert.Equal((double)expected["reconstruction_error_noise"]!, (double)metrics["reconstruction_error_noise"]!, 1e-9);
    }

    [Fact]
    public async Task Write_ABlockIsMissing_HasTheNumbersOfTheTensors()
    {
        var run = Measured("b0");
        await PublishAsync(run, new OtherRows(run), blocks: MeasureSetting.Blocks - 1);

        var metrics = await WriteAsync(run);

        var unmeasured = await WriteAsync(run with { MeasureKey = null, Slug = "unmeasured" });
        Assert.Equal(unmeasured.ToJsonString(), metrics.ToJsonString());
    }

    [Fact]
    public async Task Write_BlocksOfAnotherFormat_HasTheNumbersOfTheTensors()
    {
        var run = Measured("c0");
        for (var block = 0; block < MeasureSetting.Blocks; block++)
            await StoreExamples.PublishAsync(sweep.Store, Attempt(run, block), new(block, block + 1));

        var metrics = await WriteAsync(run);

        var unmeasured = await WriteAsync(run with { MeasureKey = null, Slug = "unmeasured" });
        Assert.Equal(unmeasured.ToJsonString(), metrics.ToJsonString());
    }

    PlannedRun Measured(string key) =>
        sweep.Plan.Runs[0] with { MeasureKey = string.Concat(Enumerable.Repeat(key, 16)), Slug = key, Analyses = [AnalysisRequest.Paper] };

    static PartAttempt Attempt(PlannedRun run, int block) => StoreExamples.Attempt(block, key: run.MeasureKey!);

    async Task PublishAsync(PlannedRun run, OtherRows rows, int blocks)
    {
        var setting = new MeasureSetting([AllAnalyses.Paper], [], run.Rows, OfAll: false);
        for (var block = 0; block < blocks; block++)
        {
            var part = setting.RowsOf(block);
            using var analyses = new AnalysisSet(setting.Analyses, rows, part.Start);
            analyses.Measure(part.Start, part.Count, CancellationToken.None);
            using var bytes = new MemoryStream();
            using var writer = new BinaryWriter(bytes);
            analyses.Write(writer);
            var attempt = Attempt(run, block);
            var entry = await StoreExamples.PutAsync(sweep.Store, attempt, bytes.ToArray(), "measured");
            Assert.True(await sweep.Store.PublishAsync(
                StoreExamples.Manifest(attempt, new(block, block + 1), entry), CancellationToken.None));
        }
    }

    async Task<JsonNode> WriteAsync(PlannedRun run)
    {
        using var folders = new RunFolderWriter(sweep.Store, new RunFolderOptions(), TimeProvider.System);
        var folder = OutputFolder.At(_folder[run.Slug]);
        await folders.WriteAsync(sweep.Plan, run, folder, CancellationToken.None);
        return JsonNode.Parse(folder.Read(RunFolder.MetricsName)!)!["metrics"]!;
    }

    /// <summary>Tensors of a run's shape and number of rows, and nothing else of it.</summary>
    sealed class OtherRows(PlannedRun run) : IRunTensors
    {
        readonly Dictionary<TensorRole, Rows> _rows = new()
        {
            [TensorRole.Noise] = new(run, 1),
            [TensorRole.Latents] = new(run, 2),
            [TensorRole.Samples] = new(run, 3),
            [TensorRole.Images] = new(run, 3),
        };

        public IMetricRows? Tensor(TensorRole role) => _rows.GetValueOrDefault(role);

        public string NameOf(TensorRole role) => role.ToString();

        sealed class Rows(PlannedRun run, int seed) : IMetricRows
        {
            public string Identity => $"{seed}";

            public StateShape Shape => run.Model.Shape;

            long IRowAccess.Rows => run.Rows.Count;

            public int RowLength => (int)Shape.Elements;

            public void Read(long first, Span<float> destination)
            {
                for (var i = 0; i < destination.Length; i++)
                    destination[i] = MathF.Sin(seed * 1000 + ((first * RowLength) + i) * 12.9898f % 6.2831853f) % 1;
            }
        }
    }
}

using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Taba.Diffusion.Metrics.Pictures;
using Taba.Diffusion.Tensors;
using Taba.Grains.Sweeps;
using Taba.Silo.Devices;
using Taba.Silo.Hosting;
using Taba.Silo.Outputs;
using Taba.Silo.Tests.Hosting;
using Taba.Storage.Manifests;
using Taba.Storage.RunFolders;
using Taba.Testing;
using Taba.Testing.Stores;

namespace Taba.Silo.Tests.Outputs;

/// <summary>Features that silos keep, and pairs that they compare, against what the folder's writer measures by itself.</summary>
public sealed class PictureBlocksTests : IDisposable
{
    const int Samples = 18;
    const int References = 17;

    readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Write_FeaturesThatSilosKept_HasTheNumbersOfTheWriterAndNeedsNoNetwork()
    {
        var plain = EmbeddedSiloTests.Plan(Spec());
        Assert.Empty(plain.Stages.Where(s => s.Spec.Measure is not null));
        var plan = InBlocks(plain);
        await using var silo = await EmbeddedSilo.StartAsync(
            new EmbeddedSiloOptions { StoreRoot = _folder["store"], Devices = SiloDevices.Resolve("cpu"), Command = "test" },
            CancellationToken.None);
        Assert.Equal(SweepState.Completed, (await EmbeddedSiloTests.RunAsync(silo, plan)).State);

        var expected = await WriteAsync(silo.Store, plain, "plain");
        var lost = plan with { Runs = [plan.Runs[0] with { ByNetworks = WithoutStages(plan.Runs[0]), Slug = "lost" }] };
        Near(expected["fid"]!["value"]!, (await WriteAsync(silo.Store, lost, "lost"))["fid"]!["value"]!, 1e-6);
        // What is computed again would miss it.
        File.Delete(_folder["inception"]);
        Directory.Delete(_folder["dino"], recursive: true);
        var found = await WriteAsync(silo.Store, plan, "blocks");

        Assert.Equal(["dino", "fid", "inception-score"], found.AsObject().Select(a => a.Key).Order());
        Near(expected["fid"]!["value"]!, found["fid"]!["value"]!, 1e-3);
        Assert.Equal(References, (int)found["fid"]!["reference_n"]!);
        Near(expected["inception-score"]!["mean"]!, found["inception-score"]!["mean"]!, 1e-4);
        Near(expected["dino"]!["mean"]!, found["dino"]!["mean"]!, 1e-5);
        Near(expected["dino"]!["std"]!, found["dino"]!["std"]!, 1e-3);

        // Without blocks the writer looks for the network, and says which.
        var error = await Assert.ThrowsAsync<Taba.Storage.Objects.StoreException>(() => WriteAsync(silo.Store, lost, "again"));
        Assert.Contains(_folder["inception"], error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Write_OtherWeights_MeasuresAFolderAgainThatHasAllElse()
    {
        FeatureCheckpoints.WriteVit(_folder["other"]);
        File.AppendAllText(Path.Combine(_folder["other"], "config.json"), " ");
        var spec = Spec() with { Analyses = [Spec().Analyses[^1]], Features = Dino("dino"), ReferencePath = null };
        var (plan, again) = (EmbeddedSiloTests.Plan(spec), EmbeddedSiloTests.Plan(spec with { Features = Dino("other") }));
        await using var silo = await EmbeddedSilo.StartAsync(
            new EmbeddedSiloOptions { StoreRoot = _folder["store"], Devices = SiloDevices.Resolve("cpu"), Command = "test" },
            CancellationToken.None);
        await EmbeddedSiloTests.RunAsync(silo, plan);

        var first = await ManifestAsync(plan);
        Assert.Equal(first.WrittenAt, (await ManifestAsync(plan)).WrittenAt);
        var second = await ManifestAsync(again);
        Assert.NotEqual(first.WrittenAt, second.WrittenAt);
        Assert.NotEqual(first.Features!["dino"], second.Features!["dino"]);

        Dictionary<string, string> Dino(string name) => new() { ["dino"] = _folder[name] };

        async Task<RunFolder> ManifestAsync(SweepPlan of)
        {
            await WriteAsync(silo.Store, of, "run");
            return RunFolder.Read(_folder["run"])!;
        }
    }

    SweepSpec Spec()
    {
        var values = new float[References * 3 * 32 * 32];
        for (var i = 0; i < values.Length; i++)
            values[i] = MathF.Sin(i * 12.9898f % 6.2831853f);
        using (var writer = TensorFileWriter.Create(
            _folder["reference.pt"], TensorFormat.Pt, "samples", TorchSharp.torch.ScalarType.Float32, [References, 3, 32, 32]))
        {
            writer.Write(System.Runtime.InteropServices.MemoryMarshal.AsBytes(values.AsSpan()));
            writer.Complete();
        }
        return new()
        {
            Name = "pictures",
            Models = [GaussianModel.Write(_folder.Path, imageSize: 32)],
            Samples = Samples,
            NumInferenceSteps = [2],
            WithInversion = true,
            WithReconstruction = true,
            Analyses = [Request("fid"), Request("inception-score"), Request("dino")],
            Features = new Dictionary<string, string>
            {
                ["inception"] = FeatureCheckpoints.WriteInception(_folder["inception"]),
                ["dino"] = FeatureCheckpoints.WriteVit(_folder["dino"]),
            },
            ReferencePath = _folder["reference.pt"],
        };
    }

    static AnalysisRequest Request(string name)
    {
        var analysis = PictureAnalyses.List.Single(a => a.Name == name);
        return new(name, !analysis.IsOfSets)
        {
            Pictures = new([.. analysis.Networks.Select(n => n.Word())])
            {
                OfSets = analysis.IsOfSets, OfPairs = analysis.IsOfPairs, LeastReference = analysis.LeastReference,
            },
        };
    }

    /// <summary>The plan that a run of many more rows would have.</summary>
    static SweepPlan InBlocks(SweepPlan plan)
    {
        var run = plan.Runs[0];
        var (inception, dino) = (
            run.ByNetworks!.Features.Single(f => f.Network == "inception"), run.ByNetworks.Features.Single(f => f.Network == "dino"));
        var shape = run.Model.Shape;
        var (images, reconstructions) = (
            new MeasuredTensor("images", "samples", run.Tensor("samples")!.Rows, shape, Dtype.Float32),
            new MeasuredTensor("reconstructed_images", "samples2", run.Tensor("samples2")!.Rows, shape, Dtype.Float32));
        var reference = run.ByNetworks.Reference!;
        PlannedStage[] stages =
        [
            Stage(new([], [images], run.Rows, false) { Features = [inception] }),
            Stage(new(
                [], [new(MeasureSetting.ReferenceRole, "reference", reference.Rows!, reference.Shape, Dtype.Float32)],
                new(0, References), false)
            { Features = [inception] }),
            Stage(new(["dino"], [images, reconstructions], run.Rows, false) { Features = [dino] }),
        ];
        return plan with
        {
            SweepId = $"{plan.SweepId[..8]}-blocks",
            Stages = [.. plan.Stages, .. stages],
            Runs =
            [
                run with
                {
                    ByNetworks = run.ByNetworks with
                    {
                        Stages = [new("inception", false, stages[0].Key), new("inception", true, stages[1].Key)],
                        MeasureKey = stages[2].Key,
                    },
                },
            ],
        };

        PlannedStage Stage(MeasureSetting measure)
        {
            var spec = new StageSpec
            {
                Kind = StageKind.Measure,
                Model = run.Model,
                NumInferenceSteps = 0,
                Precision = new(Dtype.Float32, Dtype.Float32, Dtype.Float32),
                Input = measure.Tensors[^1].Rows,
                Measure = measure,
                Output = new(1, 1, 1),
            };
            return new(StageKey.Of(spec), spec, MeasureSetting.AllBlocks, CaptureSelection.None);
        }
    }

    static PlannedPictures WithoutStages(PlannedRun run) => run.ByNetworks! with
    {
        Stages = [.. run.ByNetworks.Stages.Select(s => s with { Key = string.Concat(Enumerable.Repeat("d0", 16)) })],
    };

    async Task<JsonNode> WriteAsync(TensorStore store, SweepPlan plan, string name)
    {
        using var folders = new RunFolderWriter(store, new RunFolderOptions(), TimeProvider.System);
        var folder = OutputFolder.At(_folder[name]);
        await folders.WriteAsync(plan, plan.Runs[0], folder, CancellationToken.None);
        return JsonNode.Parse(folder.Read(RunFolder.MetricsName)!)!["analyses"]!;
    }

    static void Near(JsonNode expected, JsonNode found, double relative)
    {
        var (a, b) = ((double)expected, (double)found);
        Assert.True(double.IsFinite(a) && Math.Abs(a - b) <= relative * Math.Abs(a), $"{a} by the writer, {b} in blocks");
    }
}

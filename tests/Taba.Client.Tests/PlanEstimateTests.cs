using System.Text.Json.Nodes;
using Taba.Client.Embedded;
using Taba.Client.Planning;
using Taba.Grains;
using Taba.Grains.Sweeps;
using Taba.Silo.Engines;
using Taba.Testing.Client;

namespace Taba.Client.Tests;

/// <summary>What a plan says of time and disk.</summary>
public sealed class PlanEstimateTests : IDisposable
{
    const long RowBytes = 3 * 8 * 8 * sizeof(float);

    readonly CommandLine _taba = new();

    public void Dispose() => _taba.Dispose();

    [Fact]
    public async Task Plan_AfterARun_SaysTheTimeAndWhatItRestsOn()
    {
        var sweep = Sweep();
        await _taba.DoneAsync("plan", sweep, "--out", _taba.At("out"));
        Assert.Contains("estimated time: unknown (no run in this store measured g in float32", _taba.Last.Output, StringComparison.Ordinal);
        await _taba.DoneAsync("run", sweep, "--out", _taba.At("out"));
        var before = Snapshot();

        await _taba.DoneAsync("plan", sweep, "--out", _taba.At("out"), "samples=60", "--json");
        var plan = JsonNode.Parse(_taba.Last.Output)!;
        var perSecond = (double)plan["stages"]![0]!["evaluations_per_second"]!;
        Assert.Equal(40 * 20, (long)plan["stages"]![0]!["measured_evaluations"]!);
        // Both numbers are rounded where they are shown.
        Assert.Equal(1, (double)plan["estimated_seconds"]! * perSecond / (20 * 20), 1e-3);

        await _taba.DoneAsync("plan", sweep, "--out", _taba.At("out"), "samples=60");
        Assert.Matches(
            @"estimated time: .* of computing \(on this machine g in float32 made .* evaluations/s at batch size 16 "
            + @"over 800 evaluations\)",
            _taba.Last.Output);
        await _taba.DoneAsync("plan", sweep, "--out", _taba.At("out"));
        Assert.Contains("estimated time: nothing to compute", _taba.Last.Output, StringComparison.Ordinal);
        Assert.Equal(before, Snapshot());
    }

    [Fact]
    public async Task Plan_ModelWithWeights_LeavesTheStoreAsItIs()
    {
        var sweep = _taba.Write("demo.yaml", "model: demo\nsamples: 2\nnum_inference_steps: 10");
        Directory.CreateDirectory(_taba.At("out", ".taba"));
        var before = Snapshot();

        await _taba.DoneAsync("plan", sweep, "--out", _taba.At("out"));

        Assert.Equal(before, Snapshot());
    }

    [Fact]
    public async Task OfAsync_AfterARun_CountsNeitherPartsNorFoldersThatAreThere()
    {
        var sweep = Sweep();
        await _taba.DoneAsync("plan", sweep, "--out", _taba.At("out"), "--json");
        var before = JsonNode.Parse(_taba.Last.Output)!;
        // Samples and latents; noise too in the folder.
        Assert.Equal(40 * 2 * RowBytes, (long)before["store_bytes"]!);
        Assert.Equal(40 * 3 * RowBytes, (long)before["folder_bytes"]!);

        await _taba.DoneAsync("run", sweep, "--out", _taba.At("out"));
        await _taba.DoneAsync("plan", sweep, "--out", _taba.At("out"), "--json");
        var after = JsonNode.Parse(_taba.Last.Output)!;
        Assert.Equal((0, 0, 0), ((long)after["store_bytes"]!, (long)after["folder_bytes"]!, (long)after["working_bytes"]!));

        File.Delete(Path.Combine(_taba.At("out", "s", "g_T10_seed420"), "latents.safetensors"));
        await _taba.DoneAsync("plan", sweep, "--out", _taba.At("out"), "--json");
        Assert.Equal(40 * 3 * RowBytes, (long)JsonNode.Parse(_taba.Last.Output)!["folder_bytes"]!);
    }

    [Fact]
    public void Working_StageThatKeepsNothing_IsACheckpointAndTheNextOneOfEachRow()
    {
        var stage = Stage(samples: 40, InternalSelection.None);
        Assert.Equal(40 * 2 * RowBytes, WorkingSpace.Of(stage, 40, 16));
        Assert.Equal(0, WorkingSpace.Of(stage, 0, 16));
    }

    [Fact]
    public void Working_LargeStage_DoesNotGrowWithItsRows()
    {
        var stage = Stage(samples: 40, InternalSelection.All);
        var bytes = WorkingSpace.Of(stage, 1_000_000, 16);
        var unfinished = (32 + 64) * RowBytes;
        Assert.Equal(unfinished * (30 + 2), bytes);
        Assert.Equal(bytes, WorkingSpace.Of(stage, 2_000_000, 16));
    }

    [Fact]
    public void Require_CheckpointsDoNotFit_IsBadInput()
    {
        var free = new DriveInfo(_taba.Folder).AvailableFreeSpace;
        DiskRoom.Require(new([], 0, 0, 1024), _taba.At("out", ".taba"), _taba.At("out"));
        var refused = Assert.Throws<BadInputException>(
            () => DiskRoom.Require(new([], 1024, 1024, free * 2), _taba.At("out", ".taba"), _taba.At("out")));
        Assert.Contains("checkpoints and scratch files", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Time_OneNetworkUnknown_IsUnknown()
    {
        var plan = Plan(40, InternalSelection.None);
        var nothing = new Dictionary<string, RowSet>();
        Assert.Null(PlanEstimate.Of(plan, nothing, _ => false, _ => null, 16).Time);
        Assert.Equal(8, PlanEstimate.Of(plan, nothing, _ => false, _ => new MeasuredSpeed(1000, 10, 16), 16).Time!.Value.TotalSeconds, 9);
    }

    string Sweep() =>
        _taba.Write(
            "s.yaml",
            $"model: {_taba.GaussianModel()}\nsamples: 40\nseed: 420\nnum_inference_steps: 10\nstages: [sample, invert]\nbatch_size: 16");

    PlannedStage Stage(int samples, InternalSelection kept) => Plan(samples, kept).Stages[0];

    SweepPlan Plan(int samples, InternalSelection kept)
    {
        var spec = new SweepSpec
        {
            Name = "s",
            Models = [new(_taba.GaussianModel())],
            Samples = samples,
            Seeds = [1],
            NumInferenceSteps = [10],
            WithInversion = true,
            Internal = kept,
        };
        return new EmbeddedRun().Plan(spec, _taba.At("none"));
    }

    string[] Snapshot() =>
    [
        .. Directory.EnumerateFileSystemEntries(_taba.Folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
            .Select(path => $"{path} {(File.Exists(path) ? $"{new FileInfo(path).Length} {File.GetLastWriteTimeUtc(path):O}" : "")}"),
    ];
}

using Taba.Storage.RunFolders;
using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Taba.Client.Embedded;
using Taba.Client.Hosts;
using Taba.Client.Running;
using Taba.Client.Sweeps;
using Taba.Grains.Stages;
using Taba.Grains.Sweeps;
using Taba.Silo.Outputs;
using Taba.Testing.Client;

namespace Taba.Client.Tests;

/// <summary>Whole commands on the family without a network: what they leave, print and reuse.</summary>
public sealed class RunTests : IDisposable
{
    const int Samples = 40;

    /// <summary>
    /// The sampling stage; an inversion and a reconstruction of the plain run, of both forward replacements and of the swap.
    /// </summary>
    const int Stages = 1 + (4 * 2);

    readonly CommandLine _taba = new();

    public void Dispose() => _taba.Dispose();

    string Sweep(string more = "") => _taba.Write("sweep.yaml", $$"""
        name: tiny
        model: {{_taba.GaussianModel()}}
        samples: {{Samples}}
        seed: 420
        num_inference_steps: 10
        interventions:
          - forward: { before: [1, 3], seed: 999 }
          - swap: { before: 2 }
        {{more}}
        """);

    [Fact]
    public async Task Run_OfASweep_LeavesTensorsMetricsAndReport()
    {
        await _taba.DoneAsync("run", Sweep(), "--out", _taba.At("out"));

        // Beside the runs lie the figures of their report.
        var folders = Directory.GetDirectories(_taba.At("out", "tiny")).Where(d => Path.GetFileName(d) != "figures").ToList();
        Assert.Equal(4, folders.Count);
        foreach (var folder in folders)
        {
            foreach (var file in (string[])["noise.safetensors", "samples.safetensors", "latents.safetensors", "samples2.safetensors",
                "metrics.json", "manifest.json"])
                Assert.True(File.Exists(Path.Combine(folder, file)), $"{folder} lacks {file}");
            Assert.True(File.Exists(Path.Combine(folder, "pictures", "samples2.png")));
            Assert.Contains(folder, _taba.Last.Output, StringComparison.Ordinal);
        }
        // Scripts read paths alone; people the finding before them.
        Assert.Equal(5, _taba.Last.Output.TrimEnd().Split('\n').Length);
        Assert.Matches("""
            g, T = 10, N = 40 +patch correlation +latents std +image error
              noise \(the floor\) +0[.]\d+ ± \S+ +[01][.]\d+
              plain inversion +0[.]\d+ ± \S+ +[01][.]\d+ ± \S+ +0[.]\d+ ± \S+
              forward K = 1 +0[.]\d+ ± \S+ +[01][.]\d+ ± \S+ +0[.]\d+ ± \S+
              forward K = 3 +0[.]\d+ ± \S+ +[01][.]\d+ ± \S+ +0[.]\d+ ± \S+
              swap eps K = 2 +0[.]\d+ ± \S+ +[01][.]\d+ ± \S+ +0[.]\d+ ± \S+
            """, _taba.Last.Errors);
        Assert.Matches("cpu.*: [0-9,]+ evaluations in .+, busy with networks for [0-9]+ % of that; one model loaded[.]", _taba.Last.Errors);
        Assert.Matches("Folders and report took .+ after the last row[.]", _taba.Last.Errors);
        var report = await File.ReadAllTextAsync(_taba.At("out", "tiny", "report.html"));
        Assert.Contains("forward K = 3", report, StringComparison.Ordinal);
        Assert.Contains("noise floor", report, StringComparison.Ordinal);
        Assert.DoesNotContain("://", report, StringComparison.Ordinal);
        Assert.Equal(5, (await File.ReadAllLinesAsync(_taba.At("out", "tiny", "results.csv"))).Length);
    }

    [Fact]
    public async Task Run_Again_ComputesNothing()
    {
        var sweep = Sweep();
        await _taba.DoneAsync("run", sweep, "--out", _taba.At("out"));
        await _taba.DoneAsync("run", sweep, "--out", _taba.At("out"), "--json");
        var done = JsonNode.Parse(_taba.Last.LastLine)!;
        Assert.Equal("done", (string)done["event"]!);
        Assert.Equal(0, (double)done["evaluations"]!);
        Assert.Equal(Stages * Samples, (long)done["reused_rows"]!);
        Assert.Empty(done["devices"]!.AsArray());
    }

    [Fact]
    public async Task Run_WithJson_PrintsOnlyJsonLines()
    {
        var done = await _taba.DoneAsync("run", Sweep(), "--out", _taba.At("out"), "--json");
        var events = (done.Output + done.Errors).TrimEnd().Split('\n').Select(line => (string)JsonNode.Parse(line)!["event"]!).ToList();
        Assert.Contains("progress", events);
        var finding = JsonNode.Parse(done.Output.Split('\n').Single(l => l.Contains("\"finding\"", StringComparison.Ordinal)))!;
        var group = finding["groups"]!.AsArray().Single()!;
        Assert.Equal(("10", Samples), ((string)group["axes"]!["num_inference_steps"]!, (int)group["samples"]!));
        Assert.Equal([null, 1, 3, 2], group["points"]!.AsArray().Select(p => (int?)p!["before"]));
        var folder = done.Output.TrimEnd().Split('\n').Select(l => JsonNode.Parse(l)!).First(l => (string)l["event"]! == "run");
        Assert.Equal(
            (double)PythonJson.Read(await File.ReadAllBytesAsync(Path.Combine((string)folder["folder"]!, "metrics.json")))!
                ["metrics"]!["correlation"]!["mean"]!,
            (double)group["points"]![0]!["correlation"]!["mean"]!);
        var last = JsonNode.Parse(done.LastLine)!;
        Assert.Equal("done", (string)last["event"]!);
        var device = last["devices"]!.AsArray().Single()!;
        Assert.Equal(((double)last["evaluations"]!, 1), ((double)device["evaluations"]!, (int)device["model_loads"]!));
        Assert.InRange((double)device["busy"]!, 1e-6, 1);
        Assert.InRange((double)last["seconds_writing"]!, 1e-6, 600);
    }

    [Fact]
    public async Task Plan_BeforeARun_WritesNothingAndPromisesWhatIsDone()
    {
        var sweep = Sweep();
        await _taba.DoneAsync("plan", sweep, "--out", _taba.At("out"), "--json");
        Assert.False(Directory.Exists(_taba.At("out")));
        var before = JsonNode.Parse(_taba.Last.Output)!;
        // A row: sample 10, plain 10 + 10, forward 9 + 10 and 7 + 10, swap 8 + 10.
        Assert.Equal(Samples * 84, (long)before["evaluations"]!);

        await _taba.DoneAsync("run", sweep, "--out", _taba.At("out"));
        await _taba.DoneAsync("plan", sweep, "--out", _taba.At("out"), "samples=60", "--json");
        Assert.Equal(20 * 84, (long)JsonNode.Parse(_taba.Last.Output)!["evaluations"]!);
    }

    [Fact]
    public async Task Sample_InParts_MergesToTheWhole()
    {
        string[] shared = ["sample", "gaussian", "--model", _taba.GaussianModel(), "--n_samples", "24", "--num_inference_steps", "10",
            "--with_inversion", "--internal"];
        for (var part = 0; part < 3; part++)
            await _taba.DoneAsync([.. shared, "--n_parts", "3", "--part_idx", $"{part}", "--save_dir", _taba.At($"store{part}", "run")]);
        await _taba.DoneAsync([.. shared, "--save_dir", _taba.At("whole", "run")]);
        string[] parts = [_taba.At("store2", "run_part_2"), _taba.At("store0", "run_part_0"), _taba.At("store1", "run_part_1")];

        await _taba.DoneAsync(["merge", .. parts, "--save_dir", _taba.At("merged")]);

        foreach (var file in Directory.GetFiles(_taba.At("whole", "run"), "*.pt"))
            Assert.Equal(
                await File.ReadAllBytesAsync(file), await File.ReadAllBytesAsync(Path.Combine(_taba.At("merged"), Path.GetFileName(file))));
        Assert.Equal(Metrics(_taba.At("whole", "run")), Metrics(_taba.At("merged")));
        await _taba.DoneAsync("report", _taba.At("merged"));

        Assert.Contains("Part 1 is missing", await _taba.RefuseAsync(
            "merge", parts[0], parts[1], "--save_dir", _taba.At("other")), StringComparison.Ordinal);
        Assert.Contains("not parts of one run", await _taba.RefuseAsync(
            "merge", parts[1], _taba.At("whole", "run"), "--save_dir", _taba.At("other")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sample_OneSample_HasNaNMetricsAndAReport()
    {
        await _taba.DoneAsync(
            "sample", "gaussian", "--model", _taba.GaussianModel(), "--n_samples", "1", "--num_inference_steps", "10", "--with_inversion",
            "--save_dir", _taba.At("out", "one"));
        Assert.Contains("NaN", await File.ReadAllTextAsync(_taba.At("out", "one", "metrics.json")), StringComparison.Ordinal);
        Assert.True(File.Exists(_taba.At("out", "one", "report.html")));
    }

    [Fact]
    public async Task Run_WithFlags_OverridesTheFile()
    {
        await _taba.DoneAsync(
            "run", Sweep(), "interventions=[]", "--out", _taba.At("out"), "--format", "npy", "--deterministic", "--noise", "per-sample",
            "--device", "cpu");
        var run = _taba.At("out", "tiny", "g_T10_seed420");
        Assert.True(File.Exists(Path.Combine(run, "samples.npy")));
        var input = (string)JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(run, "manifest.json")))!["stages"]![0]!["fields"]![
            "input"]!;
        Assert.StartsWith("per-sample noise", input, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_Overwrite_ComputesAnew()
    {
        string[] command = ["run", Sweep(), "interventions=[]", "--out", _taba.At("out"), "--json"];
        await _taba.DoneAsync(command);
        await _taba.DoneAsync([.. command, "--overwrite"]);
        var done = JsonNode.Parse(_taba.Last.LastLine)!;
        Assert.Equal(Samples * 3 * 10, (double)done["evaluations"]!);
    }

    [Fact]
    public void Print_OfFailedSamples_NamesEachAndEndsWithOne()
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var spec = SweepFileReader.Parse(
            $"model: {_taba.GaussianModel()}\nsamples: 4\nnum_inference_steps: 10\nstages: [sample]", "s.yaml", []);
        var plan = new EmbeddedRun().Plan(spec, _taba.At("none"));
        var failures = ImmutableArray.Create(new SampleFailure(plan.Stages[0].Key, 3, 7, "NaN in float16"));
        var status = new SweepStatus(
            plan.SweepId, 1, SweepState.CompletedWithFailures,
            [new(plan.Stages[0].Key, StageKind.Sample, 4, RowSet.Empty, 0, 1, 0, 40, 40, failures, null)], null);
        var job = new RunJob { Spec = spec, StoreRoot = _taba.At("none"), Folder = "folder", CommandLine = "taba run s.yaml" };

        var exit = new RunResults(new Terminal(output, error, false, TimeProvider.System), job, OutputFolder.At("folder")).Print(
            plan, status, new("report.html", "results.csv", []), new([], TimeSpan.FromSeconds(2)));

        Assert.Equal(ExitStatus.SamplesFailed, exit);
        Assert.Equal(
            "Folders and report took 2 s after the last row.\nSample 3 of stage sample T=10 failed at step 7: NaN in float16\n",
            error.ToString());
        Assert.Contains("report.html", output.ToString(), StringComparison.Ordinal);
    }

    static string Metrics(string folder) =>
        JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "metrics.json")))!["metrics"]!.ToJsonString(new JsonSerializerOptions());
}

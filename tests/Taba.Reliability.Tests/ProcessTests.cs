using Taba.Testing;
using Taba.Testing.Commands;

namespace Taba.Reliability.Tests;

/// <summary>The parts of a command that only a process of its own has: exit status, streams, working directory, environment.</summary>
[Trait(Needs.Trait, Needs.Process)]
public sealed class ProcessTests : IDisposable
{
    readonly Workbench _bench = new("""
        name: smoke
        model: gaussian.json
        samples: 4
        num_inference_steps: 10
        """);

    public void Dispose() => _bench.Dispose();

    [Fact]
    public async Task Run_Done_PutsOnlyItsFilesOnStandardOutput()
    {
        var done = (await _bench.RunSweepAsync()).ShouldEnd(0);

        var lines = done.Output.TrimEnd().Split('\n');
        Assert.Contains(Path.Combine("out", "smoke", "report.html"), lines[^1]);
        Assert.All(lines, line => Assert.Contains(Path.Combine("out", "smoke"), line));
        Assert.NotEmpty(done.Errors);
        Assert.Equal(4 * 3 * 10, _bench.Evaluations);
    }

    [Fact]
    public async Task Run_BadInput_EndsWithTwoAndSaysSoOnStandardErrorOnly()
    {
        var refused = (await _bench.RunAsync("run", "sweep.yaml", "samples=none", "--out", "out")).ShouldEnd(2);

        Assert.Empty(refused.Output);
        Assert.Contains("samples", refused.LastWord);
        Assert.False(Directory.Exists(_bench.OutFolder));
    }

    [Fact]
    public async Task Setting_OutOfRange_IsRefused()
    {
        using var run = ProgramProcess.Start(
            "taba", Programs.Taba, _bench.Folder, new Dictionary<string, string> { ["Taba__Engine__CheckpointEverySteps"] = "0" },
            ["run", "sweep.yaml", "--out", "out"]);
        var refused = (await run.EndAsync()).ShouldEnd(2);

        Assert.Contains("CheckpointEverySteps", refused.Errors);
        Assert.False(Directory.Exists(_bench.OutFolder));
    }
}

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

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Setting_Unknown_IsRefusedWithTheNearest(bool silo)
    {
        using var run = ProgramProcess.Start(
            "taba", silo ? Programs.Silo : Programs.Taba, _bench.Folder,
            new Dictionary<string, string>
            {
                ["Taba__Clusters__lab__Stoer"] = "/shared", ["OTEL_SERVICE_NAME"] = "x", ["Logging__LogLevel__Default"] = "x",
            },
            silo ? ["--cluster", "lab"] : ["run", "sweep.yaml", "--out", "out"]);
        var refused = (await run.EndAsync()).ShouldEnd(2);

        Assert.Equal("Taba:Clusters:lab:Stoer is no setting of taba. Did you mean Store?", refused.LastWord);
        Assert.False(Directory.Exists(_bench.OutFolder));
    }

    [Fact]
    public async Task Setting_FileInTheUsersFolder_IsLookedForThere()
    {
        using var silo = ProgramProcess.Start(
            "silo", Programs.Silo, _bench.Folder,
            new Dictionary<string, string>
            {
                ["HOME"] = _bench.Folder, ["Taba__Clusters__lab__Store"] = "~/s",
                ["Taba__Clusters__lab__ConnectionStringFile"] = "~/secrets/none",
            },
            ["--cluster", "lab"]);
        Assert.Contains($"'{_bench.Folder}/secrets/none' cannot be read", (await silo.EndAsync()).ShouldEnd(2).LastWord);
    }

    [Theory]
    [InlineData(64)]
    [InlineData(200)]
    [InlineData(511)]
    public async Task Run_FewOpenFilesAllowed_SaysHowManyAreNeededBeforeAnythingStarts(int most)
    {
        using var run = ProgramProcess.Start(
            "taba", Programs.Taba, _bench.Folder, [], ["run", "sweep.yaml", "--out", "out"], "bash", "-c", $"ulimit -n {most}; exec \"$@\"",
            "limited");
        var refused = (await run.EndAsync()).ShouldEnd(2);

        Assert.Single(refused.Errors.TrimEnd().Split('\n'));
        Assert.StartsWith($"At most {most} files may be open at a time here, and a run needs 512", refused.LastWord);
        Assert.Contains("ulimit -n 512", refused.LastWord);
        Assert.Empty(refused.Output);
        Assert.False(Directory.Exists(_bench.OutFolder));
    }

    [Fact]
    public async Task Doctor_FewOpenFilesAllowed_SaysSo()
    {
        using var doctor = ProgramProcess.Start(
            "taba", Programs.Taba, _bench.Folder, [], ["doctor"], "bash", "-c", "ulimit -n 200; exec \"$@\"", "limited");
        Assert.Contains("fail  open files 200 at a time: a run needs 512: ulimit -n 512", (await doctor.EndAsync()).ShouldEnd(3).Output);
    }

    [Fact]
    public async Task Run_SoftLimitAloneIsLow_IsRaised()
    {
        using var run = ProgramProcess.Start(
            "taba", Programs.Taba, _bench.Folder, [], ["run", "sweep.yaml", "--out", "out"], "bash", "-c", "ulimit -Sn 64; exec \"$@\"",
            "limited");
        (await run.EndAsync()).ShouldEnd(0);
    }
}

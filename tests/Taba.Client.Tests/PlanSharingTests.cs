using System.Globalization;
using System.Text.Json.Nodes;
using Taba.Client.Embedded;
using Taba.Client.Planning;
using Taba.Grains.Sweeps;
using Taba.Testing.Client;

namespace Taba.Client.Tests;

/// <summary>What a plan says of the work that its runs share.</summary>
public sealed class PlanSharingTests : IDisposable
{
    readonly CommandLine _taba = new();

    public void Dispose() => _taba.Dispose();

    /// <summary>T = 100 and K = 1 .. 10, as in the paper: 2,945 evaluations an image one by one, 2,045 together.</summary>
    [Fact]
    public void Of_ForwardReplacementOverK_CountsEachRunAloneAndTheStagesOnce()
    {
        var plan = Plan(new()
        {
            Name = "s", Models = [new(_taba.GaussianModel())], Samples = 100, Seeds = [1], NumInferenceSteps = [100], WithInversion = true,
            WithReconstruction = true,
            Interventions = [.. Enumerable.Range(1, 10).Select(k => new Intervention(InterventionKind.Forward, k))],
        });
        // Without the plain run, which each sweep has beside them.
        var plain = plan.Runs.Single(run => run.Intervention is null);
        var replaced = plan with
        {
            Runs = plan.Runs.Remove(plain),
            Stages = plan.Stages.RemoveAll(s => s.Spec is { Kind: StageKind.Invert or StageKind.Reconstruct } && IsOf(plain, s)),
        };

        var sharing = PlanSharing.Of(replaced);

        Assert.Equal(new(100 * 2_045, 100 * 2_945, 0), sharing);
        Assert.Equal((90_000, "1.44"), (sharing.Saved, sharing.Factor.ToString("0.00", CultureInfo.InvariantCulture)));
        Assert.Equal(new(100 * (2_045 + 200), 100 * (2_945 + 300), 0), PlanSharing.Of(plan));

        static bool IsOf(PlannedRun run, PlannedStage stage) =>
            run.Tensors.Any(t => t.Rows is StageRows rows && rows.Key == stage.Key);
    }

    [Fact]
    public async Task Plan_ForwardReplacementOverK_SaysWhatSharingSaves()
    {
        var sweep = _taba.Write(
            "k.yaml",
            $"model: {_taba.GaussianModel()}\nsamples: 100\nseed: 420\nnum_inference_steps: 100\nstages: [sample, invert, reconstruct]\n"
            + "interventions:\n  - forward: { before: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10] }\n");

        await _taba.DoneAsync("plan", sweep, "--out", _taba.At("out"));
        Assert.Contains("network evaluations: 224,500\n", _taba.Last.Output, StringComparison.Ordinal);
        Assert.Contains(
            "runs that share stages save 100,000 of 324,500 evaluations (1.45 times less work)\n", _taba.Last.Output,
            StringComparison.Ordinal);
        Assert.DoesNotContain("swapped steps", _taba.Last.Output, StringComparison.Ordinal);

        await _taba.DoneAsync("plan", sweep, "--out", _taba.At("out"), "--json");
        var plan = JsonNode.Parse(_taba.Last.Output)!;
        Assert.Equal(224_500, (long)plan["evaluations_of_all_stages"]!);
        Assert.Equal(324_500, (long)plan["evaluations_of_runs_alone"]!);
    }

    [Fact]
    public async Task Run_OfRunsThatShare_SaysSoAtItsHead()
    {
        var sweep = _taba.Write(
            "k.yaml",
            $"model: {_taba.GaussianModel()}\nsamples: 4\nseed: 420\nnum_inference_steps: 10\nstages: [sample, invert]\n"
            + "interventions:\n  - forward: { before: [1, 2] }\n");

        await _taba.DoneAsync("run", sweep, "--out", _taba.At("out"));

        // Alone 10 + 10, 10 + 9 and 10 + 8 evaluations a row.
        Assert.Contains(
            "148 network evaluations; runs that share stages save 80 of 228 evaluations (1.54 times less work).", _taba.Last.Errors,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Of_RunsThatShareNothing_SavesNothing()
    {
        var sharing = PlanSharing.Of(Plan(new()
        {
            Name = "s", Models = [new(_taba.GaussianModel())], Samples = 40, Seeds = [1, 2], NumInferenceSteps = [10, 20],
            WithInversion = true,
        }));

        Assert.Equal(new(2 * 40 * (20 + 40), 2 * 40 * (20 + 40), 0), sharing);
        Assert.Equal((0, 1), (sharing.Saved, sharing.Factor));
        Assert.Null(sharing.Saves);
    }

    /// <summary>A swap reads the noise predictions of the sampling that it inverts.</summary>
    [Fact]
    public void Of_SwappedSteps_CountsWhatSkipsTheNetwork()
    {
        var sharing = PlanSharing.Of(Plan(new()
        {
            Name = "s", Models = [new(_taba.GaussianModel())], Samples = 40, Seeds = [1], NumInferenceSteps = [10], WithInversion = true,
            Interventions = [new(InterventionKind.SwapEps, 3), new(InterventionKind.SwapXt, 4)],
        }));

        Assert.Equal(40 * (3 + 4), sharing.Swapped);
        Assert.Equal(40 * (10 + 10 + 7 + 6), sharing.Planned);
        Assert.Equal(40 * ((10 + 10) + (10 + 7) + (10 + 6)), sharing.Alone);
    }

    SweepPlan Plan(SweepSpec spec) => new EmbeddedRun().Plan(spec, _taba.At("none"));
}

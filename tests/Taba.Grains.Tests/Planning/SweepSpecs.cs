using Taba.Grains.Planning;
using Taba.Grains.Sweeps;

namespace Taba.Grains.Tests.Planning;

/// <summary>Sweeps as users write them.</summary>
static class SweepSpecs
{
    public static readonly SweepSpec Plain = new()
    {
        Name = "plain",
        Models = [new("demo")],
        Samples = 128,
        Seeds = [420],
        NumInferenceSteps = [10],
        WithInversion = true,
        WithReconstruction = true,
    };

    /// <summary>A sweep in the paper's manner: forward replacement of 1, 3 and 5 steps, swap of the first 1 and 3 predictions.</summary>
    public static readonly SweepSpec Demo = Plain with
    {
        Name = "demo",
        Samples = 256,
        Interventions =
        [
            new(InterventionKind.Forward, 1, Seed: 999),
            new(InterventionKind.Forward, 3, Seed: 999),
            new(InterventionKind.Forward, 5, Seed: 999),
            new(InterventionKind.SwapEps, 1),
            new(InterventionKind.SwapEps, 3),
        ],
    };

    public static SweepPlan Plan(this SweepSpec spec, FakeFiles? files = null) =>
        new SweepPlanner(new FakeModels(), files ?? new FakeFiles(), "cpu").Plan(spec);

    public static IEnumerable<PlannedStage> Of(this SweepPlan plan, StageKind kind) => plan.Stages.Where(s => s.Spec.Kind == kind);

    public static string Refused(this SweepSpec spec, FakeFiles? files = null) =>
        Assert.Throws<BadInputException>(() => spec.Plan(files)).Message;
}

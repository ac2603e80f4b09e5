using Taba.Grains.Sweeps;

namespace Taba.Grains.Tests.Planning;

/// <summary>What cannot be run is refused before anything starts, in a sentence that names the value and what would do.</summary>
public sealed class BadInputTests
{
    static readonly FakeFiles s_files = new FakeFiles()
        .With("images.pt", "float32", 128, 3, 8, 8)
        .With("images-64.pt", "float32", 64, 3, 8, 8)
        .With("images-16x16.pt", "float32", 128, 3, 16, 16)
        .With("images-flat.pt", "float32", 128, 192)
        .With("images-uint8.pt", "uint8", 128, 3, 8, 8)
        .With("images-none.pt", "float32", 0, 3, 8, 8)
        .With("images-absurd.pt", "float32", 1L << 40, 3, 8, 8)
        .With("eps.pt", "float32", 10, 128, 3, 8, 8)
        .With("eps-T50.pt", "float32", 50, 128, 3, 8, 8)
        .With("eps-N64.pt", "float32", 10, 64, 3, 8, 8)
        .With("eps-int.pt", "int64", 10, 128, 3, 8, 8)
        .With("conds.pt", "int64", 128)
        .With("conds-64.pt", "int64", 64)
        .WithClasses("conds-high.pt", rows: 128, least: 0, most: 1000)
        .WithClasses("conds-low.pt", rows: 128, least: -1, most: 3)
        .With("conds-float.pt", "float32", 128);

    static readonly SweepSpec s_images = SweepSpecs.Plain with { WithSampling = false, ImagesPath = "images.pt" };

    static readonly SweepSpec s_classes = SweepSpecs.Plain with { Models = [new("classes")] };

    public static TheoryData<string, SweepSpec, string[]> Cases => new()
    {
        { "unknown model", SweepSpecs.Plain with { Models = [new("nothing")] }, ["nothing"] },
        { "no model", SweepSpecs.Plain with { Models = [] }, ["model"] },
        { "name of a folder elsewhere", SweepSpecs.Plain with { Name = "../up" }, ["../up", "name"] },
        { "no name", SweepSpecs.Plain with { Name = " " }, ["name"] },
        { "hidden name", SweepSpecs.Plain with { Name = ".taba" }, [".taba"] },
        { "no samples", SweepSpecs.Plain with { Samples = 0 }, ["samples is 0"] },
        { "absurdly many samples", SweepSpecs.Plain with { Samples = int.MaxValue }, ["2147483647", "100000000"] },
        { "no T", SweepSpecs.Plain with { NumInferenceSteps = [] }, ["num_inference_steps"] },
        { "no seed", SweepSpecs.Plain with { Seeds = [] }, ["seed"] },
        { "T of zero", SweepSpecs.Plain with { NumInferenceSteps = [0] }, ["0 inference steps"] },
        { "T that respacing cannot give", SweepSpecs.Plain with { NumInferenceSteps = [10, 7] }, ["7 inference steps", "divisor"] },
        { "reconstruction without inversion", SweepSpecs.Plain with { WithInversion = false },
        ["with_reconstruction needs with_inversion"] },
        { "intervention without inversion", SweepSpecs.Demo with { WithInversion = false, WithReconstruction = false }, ["invert"] },
        { "no run at all", SweepSpecs.Plain with { WithPlainRun = false }, ["no run"] },
        { "forward K below range", With(InterventionKind.Forward, -1), ["forward_before_t is -1", "between 0 and 9"] },
        { "forward K above range", With(InterventionKind.Forward, 10), ["forward_before_t is 10", "between 0 and 9"] },
        { "swap K below range", With(InterventionKind.SwapEps, -1), ["swap_before_t is -1", "between 0 and 10"] },
        { "swap K above range", With(InterventionKind.SwapXt, 11), ["swap_before_t is 11", "between 0 and 10"] },
        { "K above range of one T of two", With(InterventionKind.SwapEps, 11) with { NumInferenceSteps = [20, 10] },
        ["swap_before_t is 11", "10 inference steps"] },
        { "swap without a path", s_images with { Interventions = [new(InterventionKind.SwapEps, 1)] }, ["--swap_path"] },
        {
            "swap xt of every step without the noise",
            s_images with { Interventions = [new(InterventionKind.SwapXt, 10, SwapPath: "eps.pt")] },
            ["swap_before_t 10", "--input_noise_path", "at most 9"]
        },
        { "swap file of another T", With(InterventionKind.SwapEps, 1, "eps-T50.pt"),
        ["eps-T50.pt", "[50, 128, 3, 8, 8]", "[10, 128, 3, 8, 8]"] },
        { "swap file of another N", With(InterventionKind.SwapEps, 1, "eps-N64.pt"), ["eps-N64.pt", "[10, 64, 3, 8, 8]"] },
        { "swap file of integers", With(InterventionKind.SwapEps, 1, "eps-int.pt"), ["eps-int.pt", "int64"] },
        { "missing swap file", With(InterventionKind.SwapEps, 1, "none.pt"), ["none.pt"] },
        { "n_parts of zero", SweepSpecs.Plain with { NParts = 0 }, ["n_parts is 0"] },
        { "n_parts that does not divide", SweepSpecs.Plain with { NParts = 3 }, ["128", "3 equal parts"] },
        { "more parts than samples", SweepSpecs.Plain with { NParts = 256 }, ["256 equal parts"] },
        { "part_idx below range", SweepSpecs.Plain with { NParts = 4, PartIdx = -1 }, ["part_idx is -1", "between 0 and 3"] },
        { "part_idx above range", SweepSpecs.Plain with { NParts = 4, PartIdx = 4 }, ["part_idx is 4", "between 0 and 3"] },
        { "nothing to invert", SweepSpecs.Plain with { WithSampling = false }, ["--input_image_path"] },
        { "images of another size", s_images with { ImagesPath = "images-16x16.pt" },
        ["images-16x16.pt", "[128, 3, 16, 16]", "[N, 3, 8, 8]"] },
        { "images of another rank", s_images with { ImagesPath = "images-flat.pt" }, ["images-flat.pt", "[128, 192]"] },
        { "images of bytes", s_images with { ImagesPath = "images-uint8.pt" }, ["images-uint8.pt", "uint8"] },
        { "images without rows", s_images with { ImagesPath = "images-none.pt" }, ["images-none.pt"] },
        { "images beyond measure", s_images with { ImagesPath = "images-absurd.pt" }, ["images-absurd.pt"] },
        { "missing images", s_images with { ImagesPath = "none.pt" }, ["none.pt"] },
        { "noise of another size", SweepSpecs.Plain with { NoisePath = "images-16x16.pt" }, ["input_noise_path", "images-16x16.pt"] },
        { "noise and images of different N", s_images with { NoisePath = "images-64.pt" }, ["64 rows", "128"] },
        { "classes of an unconditional model", SweepSpecs.Plain with { CondPath = "conds.pt" }, ["conds.pt", "no classes"] },
        { "no classes for given images", s_images with { Models = [new("classes")] }, ["images.pt", "--input_cond_path", "--labels"] },
        { "no prompts for given images", s_images with { Models = [new("text")] }, ["images.pt", "--input_prompts_path"] },
        { "classes of another N", s_images with { Models = [new("classes")], CondPath = "conds-64.pt" },
        ["images.pt has 128", "conds-64.pt has 64"] },
        { "noise of another N than the classes", s_classes with { NoisePath = "images.pt", CondPath = "conds-64.pt" },
        ["images.pt has 128", "conds-64.pt has 64"] },
        { "labels and a file of classes", s_classes with { CondPath = "conds.pt", Conditions = new() { Labels = ["3"] } },
        ["labels", "input_cond_path"] },
        { "an unknown label", s_classes with { Conditions = new() { Labels = ["axolotl"] } }, ["axolotl"] },
        { "labels of a model without classes", SweepSpecs.Plain with { Conditions = new() { Labels = ["3"] } }, ["labels", "demo"] },
        { "prompts of a model without text", SweepSpecs.Plain with { Conditions = new() { Prompts = "hobbit" } }, ["hobbit", "demo"] },
        { "no prompts drawn", s_classes with { Conditions = new() { NPrompts = 0 } }, ["n_prompts is 0"] },
        { "no rows of a prompt", s_classes with { Conditions = new() { NoisesPerPrompt = 0 } }, ["noises_per_prompt is 0"] },
        { "absurdly many prompts", s_classes with { Conditions = new() { NPrompts = int.MaxValue } }, ["8589934588"] },
        { "no guidance scale", s_classes with { GuidanceScales = [] }, ["guidance_scale is empty"] },
        { "guidance that is no number", s_classes with { GuidanceScales = [double.NaN] }, ["guidance_scale is NaN"] },
        { "guidance without conditions", SweepSpecs.Plain with { GuidanceScales = [7] }, ["guidance_scale is 7", "demo"] },
        { "classes that are no integers", SweepSpecs.Plain with { Models = [new("classes")], CondPath = "conds-float.pt" },
        ["conds-float.pt", "float32"] },
        { "a class beyond the last", SweepSpecs.Plain with { Models = [new("classes")], CondPath = "conds-high.pt" },
        ["conds-high.pt", "class 1000 in row 127", "classes 0 to 9"] },
        { "a class before the first", SweepSpecs.Plain with { Models = [new("classes")], CondPath = "conds-low.pt" },
        ["conds-low.pt", "class -1 in row 0"] },
        { "batch of zero", SweepSpecs.Plain with { BatchSize = 0 }, ["batch_size is 0"] },
        { "batch beyond measure", SweepSpecs.Plain with { BatchSize = 65537 }, ["batch_size is 65537"] },
        { "unknown precision", SweepSpecs.Plain with { Precision = new(Dtype.Float64) }, ["float64"] },
        { "internal every zero steps", SweepSpecs.Plain with { Internal = new(TensorKinds.Eps, 0) }, ["every 0"] },
        { "seed given twice", SweepSpecs.Plain with { Seeds = [1, 1] }, ["demo_T10_seed1"] },
        { "model given twice", SweepSpecs.Plain with { Models = [new("demo"), new("demo")] }, ["demo_T10_seed420"] },
        {
            "two swaps that differ in their file only",
            SweepSpecs.Plain with { Interventions =
                [new(InterventionKind.SwapEps, 1), new(InterventionKind.SwapEps, 1, SwapPath: "eps.pt")] },
            ["swap_eps_before1"]
        },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Plan_BadInput_IsRefusedWithTheValue(string what, SweepSpec spec, string[] named)
    {
        var message = spec.Refused(s_files);
        Assert.All(
            named, part => Assert.True(message.Contains(part, StringComparison.Ordinal), $"{what}: '{message}' does not name '{part}'"));
        Assert.EndsWith(".", message, StringComparison.Ordinal);
    }

    static SweepSpec With(InterventionKind kind, int before, string? path = null) =>
        SweepSpecs.Plain with { Interventions = [new(kind, before, SwapPath: path)] };
}

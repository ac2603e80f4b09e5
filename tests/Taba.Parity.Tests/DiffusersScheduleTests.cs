using System.Text.Json;
using System.Text.RegularExpressions;
using Taba.Diffusion.Sampling;
using Taba.Diffusion.Schedules;
using Taba.Testing;
using TorchSharp;

namespace Taba.Parity.Tests;

/// <summary>The schedules of the diffusers families, single steps and forward diffusion, against upstream's schedulers.</summary>
public sealed partial class DiffusersScheduleTests
{
    const double Tolerance = 1e-6;
    const double Relative = 2e-6;

    public static TheoryData<string, int> Runs()
    {
        var data = new TheoryData<string, int>();
        foreach (var folder in ReferenceSet.Cases("schedulers", "scheduler_config.json"))
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(ReferenceSet.At($"{folder}/case.json")));
            foreach (var steps in document.RootElement.GetProperty("T").EnumerateArray())
                data.Add(folder, steps.GetInt32());
        }
        return data;
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Runs))]
    public void AlphasAndTimesteps_OfEveryCase_AreTheReferences(string folder, int numInferenceSteps)
    {
        var schedule = Make(folder, numInferenceSteps);
        var expected = ReferenceTensors.Load($"{folder}/outputs.safetensors");
        TensorAssert.Close(DiffusersBetas.AlphasCumprod(ConfigOf(folder)), expected.Values<float>(
            "alphas_cumprod"), 1e-7, 1e-6, $"{folder} alphas_cumprod");
        Assert.Equal(
            expected.Values<long>($"T{numInferenceSteps}.timesteps").ToArray(),
            Enumerable.Range(0, numInferenceSteps).Select(k => (long)schedule.Step(Direction.Sampling, k).Timestep));
        Assert.Equal(
            expected.Values<long>($"T{numInferenceSteps}.inverse_timesteps").ToArray(),
            Enumerable.Range(0, numInferenceSteps).Select(k => (long)schedule.Step(Direction.Inversion, k).Timestep));
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Runs))]
    public void Step_OfEveryStoredStep_AgreesWithTheReference(string folder, int numInferenceSteps)
    {
        using var scope = torch.NewDisposeScope();
        var schedule = Make(folder, numInferenceSteps);
        var inputs = ReferenceTensors.Load($"{folder}/inputs.safetensors");
        var expected = ReferenceTensors.Load($"{folder}/outputs.safetensors");
        var (x, predicted, given) = (inputs.Float32("sample"), inputs.Float32("model_output"), inputs.Float32("swap_eps"));

        var compared = 0;
        foreach (var name in expected.Names)
        {
            if (StoredStep().Match(name) is not { Success: true } match || match.Groups["T"].Value != $"{numInferenceSteps}")
                continue;
            var direction = match.Groups["way"].Value == "step" ? Direction.Sampling : Direction.Inversion;
            var eps = match.Groups["swapped"].Success ? given : predicted;
            var step = schedule.Step(direction, int.Parse(match.Groups["k"].Value, System.Globalization.CultureInfo.InvariantCulture));
            var row = StepNumbers.From(step, schedule.Rule(direction), schedule.Bounds, match.Groups["swapped"].Success);
            using var numbers = BatchNumbers.From([row], torch.CPU);
            var result = Ddim.Step(x, eps, numbers);

            // The reference computes in float32: its x̂0 is a difference of numbers as large as √(1/ᾱ) times the state, rounded.
            var rounding = Tolerance * row.SqrtRecip;
            Close(result.PredXstart, "pred_original_sample", rounding);
            Close(result.EpsUsed, "eps", Tolerance);
            Close(result.XNext, "prev_sample", Tolerance + (rounding * row.SqrtNext));
            compared++;

            void Close(torch.Tensor actual, string part, double absolute)
            {
                var stored = name.Replace(".prev_sample", $".{part}", StringComparison.Ordinal);
                if (expected.Has(stored))
                    TensorAssert.Close(
                        actual.data<float>().ToArray(), expected.Values<float>(stored), absolute, Relative, $"{folder} {stored}");
                else
                    Assert.NotEqual("prev_sample", part);
            }
        }
        Assert.True(compared > 0, $"{folder} stores no step of T = {numInferenceSteps}");
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Runs))]
    public void ForwardDiffusion_ToEveryStoredLevel_AgreesWithTheReference(string folder, int numInferenceSteps)
    {
        var schedule = Make(folder, numInferenceSteps);
        var inputs = ReferenceTensors.Load($"{folder}/inputs.safetensors");
        var expected = ReferenceTensors.Load($"{folder}/outputs.safetensors");
        var compared = 0;
        foreach (var name in expected.Names.Where(
            name => name.StartsWith($"T{numInferenceSteps}.forward_before", StringComparison.Ordinal)))
        {
            var last = name[(name.LastIndexOf("before", StringComparison.Ordinal) + 6)..];
            var before = last == "T" ? numInferenceSteps : int.Parse(last, System.Globalization.CultureInfo.InvariantCulture);
            var actual = new float[inputs.Values<float>("sample").Length];
            ForwardDiffusion.Apply(
                inputs.Values<float>("sample"), inputs.Values<float>("fixed_noise"), schedule.ForwardAlphaBar(before), actual);
            TensorAssert.Close(actual, expected.Values<float>(name), Tolerance, Relative, $"{folder} {name}");
            compared++;
        }
        Assert.True(compared > 0, $"{folder} stores no level of T = {numInferenceSteps}");
    }

    static DiffusersSchedule Make(string folder, int numInferenceSteps) => new(ConfigOf(folder), numInferenceSteps);

    static DdimSchedulerConfig ConfigOf(string folder)
    {
        var path = ReferenceSet.At($"{folder}/scheduler_config.json");
        using var document = JsonDocument.Parse(File.ReadAllBytes(path));
        return DdimSchedulerConfig.Parse(document.RootElement, path);
    }

    [GeneratedRegex(@"^T(?<T>\d+)\.(?<way>step|inv)(?<k>\d+)(?<swapped>_swapped)?\.prev_sample$")]
    private static partial Regex StoredStep();
}

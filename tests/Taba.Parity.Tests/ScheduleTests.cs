using System.Globalization;
using System.Text.Json;
using Taba.Diffusion.Sampling;
using Taba.Diffusion.Schedules;
using Taba.Testing;
using TorchSharp;

namespace Taba.Parity.Tests;

/// <summary>The ADM schedules and the DDIM update against the reference's tables and single steps.</summary>
public sealed class ScheduleTests
{
    const string Respacings = "schedulers/space_timesteps.json";

    const double StepTolerance = 2e-6;
    const double StepRelative = 1e-5;

    public static TheoryData<string, int> Runs()
    {
        var data = new TheoryData<string, int>();
        foreach (var folder in ReferenceSet.Cases("schedulers", "case.json").Where(
            path => Path.GetFileName(path).StartsWith("adm_", StringComparison.Ordinal)))
        {
            foreach (var steps in ReadCase(folder).GetProperty("T").EnumerateArray())
                data.Add(folder, steps.GetInt32());
        }

        return data;
    }

    public static TheoryData<string, int, int> Strides() => StridesOf("ok");

    public static TheoryData<string, int, int> RefusedStrides() => StridesOf("errors");

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Runs))]
    public void Tables_OfEveryCase_AgreeInFloat64(string folder, int numInferenceSteps)
    {
        var schedule = MakeSchedule(folder, numInferenceSteps);
        var expected = ReferenceTensors.Load($"{folder}/outputs.safetensors");
        var prefix = $"ddim{numInferenceSteps}.";

        var sampling = Steps(Direction.Sampling).Reverse().ToList();
        var inversion = Steps(Direction.Inversion).ToList();
        Same("alphas_cumprod", sampling.Select(s => s.AlphaBar));
        Same("alphas_cumprod", inversion.Select(s => s.AlphaBar));
        Same("alphas_cumprod_prev", sampling.Select(s => s.AlphaBarNext));
        Same("alphas_cumprod_next", inversion.Select(s => s.AlphaBarNext));
        Assert.Equal(expected.Values<double>(prefix + "model_timesteps").ToArray(), sampling.Select(s => (double)s.Timestep));
        Assert.Equal(expected.Values<double>(prefix + "model_timesteps").ToArray(), inversion.Select(s => (double)s.Timestep));

        IEnumerable<DdimStep> Steps(Direction direction) => Enumerable.Range(0, numInferenceSteps).Select(k => schedule.Step(direction, k));

        void Same(string table, IEnumerable<double> actual) =>
            TensorAssert.Close(actual.ToArray(), expected.Values<double>(prefix + table), 1e-15, 1e-13, $"{folder} {prefix}{table}");
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Runs))]
    public void Step_OfEveryStoredStep_AgreesWithTheReference(string folder, int numInferenceSteps)
    {
        using var scope = torch.NewDisposeScope();
        var schedule = MakeSchedule(folder, numInferenceSteps);
        var inputs = ReferenceTensors.Load($"{folder}/inputs.safetensors");
        var expected = ReferenceTensors.Load($"{folder}/outputs.safetensors");
        var x = inputs.Float32("x");
        var predicted = inputs.Float32("model_output").narrow(1, 0, 3).contiguous();
        var given = inputs.Float32("swap_eps");

        var compared = 0;
        foreach (var (name, i, variant, direction) in StoredSteps(expected, numInferenceSteps))
        {
            var k = direction == Direction.Sampling ? numInferenceSteps - 1 - i : i;
            var step = schedule.Step(direction, k);
            var swapped = variant == "swapped";
            var row = StepNumbers.From(step, schedule.Rule(direction), PredictionBounds.Unit, swapped);
            if (variant == "clip0")
                row = row with { Bound = double.PositiveInfinity };
            var result = Single(swapped ? given : predicted, row);
            Close(result.XNext, name + ".sample");
            Close(result.PredXstart, name + ".pred_xstart");
            Close(result.EpsUsed, name + ".eps");
            compared++;

            if (variant == "clip0")
            {
                // The plain rule keeps eps as it came; the reference re-derives it, which adds rounding that grows as √(1/ᾱ - 1) shrinks.
                var plain = StepNumbers.From(step, PredictionRule.Plain, PredictionBounds.Unit);
                result = Single(predicted, plain);
                var rounding = 5e-7 / plain.SqrtRecipM1;
                Close(result.XNext, name + ".sample", rounding * plain.SqrtOneMinusNext);
                Close(result.PredXstart, name + ".pred_xstart");
                Close(result.EpsUsed, name + ".eps", rounding);
            }
        }

        Assert.True(compared > 0, $"{folder} stores no step of T = {numInferenceSteps}");

        // The reference's own rounding exceeds the fixtures' tolerance at the lowest levels: only float32 can be compared so closely.
        DdimResult Single(torch.Tensor eps, StepNumbers row)
        {
            using var numbers = BatchNumbers.From([row], torch.CPU, torch.ScalarType.Float32);
            return Ddim.Step(x, eps, numbers);
        }

        void Close(torch.Tensor actual, string name, double extra = 0) =>
            TensorAssert.Close(
                actual.data<float>().ToArray(), expected.Values<float>(name), StepTolerance + extra, StepRelative, $"{folder} {name}");
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Runs))]
    public void Step_InFloat64_AgreesWithTheReferenceWithinItsRounding(string folder, int numInferenceSteps)
    {
        using var scope = torch.NewDisposeScope();
        var schedule = MakeSchedule(folder, numInferenceSteps);
        var inputs = ReferenceTensors.Load($"{folder}/inputs.safetensors");
        var expected = ReferenceTensors.Load($"{folder}/outputs.safetensors");
        var x = inputs.Float32("x");
        var predicted = inputs.Float32("model_output").narrow(1, 0, 3).contiguous();

        foreach (var (name, i, _, direction) in StoredSteps(expected, numInferenceSteps).Where(stored => stored.Variant == "clip1"))
        {
            var step = schedule.Step(direction, direction == Direction.Sampling ? numInferenceSteps - 1 - i : i);
            var row = StepNumbers.From(step, schedule.Rule(direction), PredictionBounds.Unit);
            using var numbers = BatchNumbers.From([row], torch.CPU);
            var result = Ddim.Step(x, predicted, numbers);

            // x̂0 is a difference of numbers as large as √(1/ᾱ) times the state, and eps is divided by √(1/ᾱ - 1).
            var ofPredXstart = 1e-6 * row.SqrtRecip;
            var ofEps = 1e-6 * row.SqrtRecip / row.SqrtRecipM1;
            Close(result.PredXstart, ".pred_xstart", ofPredXstart);
            Close(result.EpsUsed, ".eps", ofEps);
            Close(result.XNext, ".sample", (ofPredXstart * row.SqrtNext) + (ofEps * row.SqrtOneMinusNext));

            void Close(torch.Tensor actual, string part, double rounding) => TensorAssert.Close(
                actual.data<float>().ToArray(), expected.Values<float>(name + part), StepTolerance + rounding, StepRelative,
                $"{folder} {name}{part}");
        }
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Runs))]
    public void ForwardDiffusion_ToTheFirstLevel_AgreesWithTheReference(string folder, int numInferenceSteps)
    {
        var inputs = ReferenceTensors.Load($"{folder}/inputs.safetensors");
        var expected = ReferenceTensors.Load($"{folder}/outputs.safetensors");
        var actual = new float[inputs.Values<float>("x").Length];

        ForwardDiffusion.Apply(
            inputs.Values<float>("x"), inputs.Values<float>("swap_eps"), MakeSchedule(folder, numInferenceSteps).ForwardAlphaBar(1),
            actual);

        var name = $"ddim{numInferenceSteps}.q_sample_t1";
        TensorAssert.Close(actual, expected.Values<float>(name), StepTolerance, StepRelative, $"{folder} {name}");
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Strides))]
    public void Strided_OfACountTheReferenceAccepts_KeepsTheSameSteps(string key, int diffusionSteps, int count)
    {
        var expected = ReadRespacings().GetProperty("ok").GetProperty(key).EnumerateArray().Select(step => step.GetInt32());
        Assert.Equal(expected, TimestepRespacing.Strided(diffusionSteps, count));
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(RefusedStrides))]
    public void Strided_OfACountTheReferenceRefuses_Throws(string key, int diffusionSteps, int count)
    {
        Assert.NotEmpty(key);
        Assert.Throws<ArgumentException>(() => TimestepRespacing.Strided(diffusionSteps, count));
    }

    static IEnumerable<(string Name, int Index, string Variant, Direction Direction)> StoredSteps(
        ReferenceTensors outputs, int numInferenceSteps)
    {
        foreach (var name in outputs.Names.Where(name => name.StartsWith(
            $"ddim{numInferenceSteps}.i", StringComparison.Ordinal) && name.EndsWith(".eps", StringComparison.Ordinal)))
        {
            var parts = name.Split('.');
            var direction = parts[3] == "sample" ? Direction.Sampling : Direction.Inversion;
            yield return (name[..^".eps".Length], int.Parse(parts[1].AsSpan(1), CultureInfo.InvariantCulture), parts[2], direction);
        }
    }

    static AdmSchedule MakeSchedule(string folder, int numInferenceSteps)
    {
        var arguments = ReadCase(folder).GetProperty("args");
        var rescale = arguments.TryGetProperty("rescale_timesteps", out var value) && value.GetBoolean();
        var curve = BetaSchedule.Parse(arguments.GetProperty("noise_schedule").GetString()!);
        return new AdmSchedule(arguments.GetProperty("steps").GetInt32(), curve, rescale, numInferenceSteps);
    }

    /// <summary>Upstream asks for "ddimN" alone: N steps with one stride.</summary>
    static TheoryData<string, int, int> StridesOf(string outcome)
    {
        var data = new TheoryData<string, int, int>();
        if (!File.Exists(ReferenceSet.At(Respacings)))
            return data;
        foreach (var key in ReadRespacings().GetProperty(outcome).EnumerateObject().Select(entry => entry.Name))
        {
            if (key.Split(":ddim") is [var diffusionSteps, var count])
                data.Add(key, int.Parse(diffusionSteps, CultureInfo.InvariantCulture), int.Parse(count, CultureInfo.InvariantCulture));
        }

        return data;
    }

    static JsonElement ReadCase(string folder) => ReadJson($"{folder}/case.json");

    static JsonElement ReadRespacings() => ReadJson(Respacings);

    static JsonElement ReadJson(string relative) => JsonDocument.Parse(File.ReadAllBytes(ReferenceSet.At(relative))).RootElement;
}

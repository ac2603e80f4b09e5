using System.Globalization;
using System.Runtime.InteropServices;
using Taba.Diffusion.Conditions;
using Taba.Diffusion.Models.Families;
using Taba.Diffusion.Native;
using Taba.Diffusion.Sampling;
using Taba.Diffusion.Schedules;
using Taba.Testing;
using static TorchSharp.torch;

namespace Taba.Parity.Tests;

/// <summary>
/// How far float32 is from exact arithmetic where guided samples are inverted, ours and the reference's: the same network and chain in
/// float64 is the judge. Shows that the reference's own rounding is larger than the tolerance of its fixture (docs/design/families.md).
/// </summary>
public sealed class GuidedRoundingTests(ITestOutputHelper log)
{
    /// <summary>Ours may be this many times as far from exact as the reference: both are random walks.</summary>
    const double Share = 3;

    const double Negligible = 1e-4;

    public static TheoryData<string> Cases =>
    [
        .. E2eCase.Discover(scripts: true).Where(name => E2eCase.Read(name) is { Family: "if", Command: "sample" } run && Scale(run) > 1),
    ];

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Cases))]
    public void Chain_GuidedSamplesInverted_AsCloseToExactAsTheReference(string name)
    {
        TorchRuntime.Initialize();
        using var inference = inference_mode();
        using var scope = NewDisposeScope();
        var run = E2eCase.Read(name);
        var exact = Chain(run, ScalarType.Float64);
        var single = Chain(run, ScalarType.Float32);
        // An inversion or a reconstruction that the run did not make is not stored.
        foreach (var tensor in exact.Keys.Where(run.Tensors.Has))
        {
            var reference = run.Tensors.Float32(tensor);
            var scale = Math.Max(1, reference.std().item<float>());
            var theirs = Distance(reference, exact[tensor]) / scale;
            var ours = Distance(single[tensor], exact[tensor]) / scale;
            log.WriteLine(
                string.Create(CultureInfo.InvariantCulture, $"{tensor}: the reference is {theirs:E2} from exact, ours {ours:E2}"));
            Assert.True(
                ours <= Share * Math.Max(theirs, Negligible), $"{name} {tensor}: ours is {ours:E2} from exact, the reference {theirs:E2}.");
        }
    }

    /// <summary>Sampling, inversion and reconstruction, each from what the one before made.</summary>
    static Dictionary<string, Tensor> Chain(E2eCase run, ScalarType dtype)
    {
        using var folder = new TempFolder();
        var definition = DiffusersModel.Read(run.WriteModel(folder), null);
        using var model = definition.Load(null, CPU, dtype);
        var x = run.Tensors.Float32("noise").to(dtype);
        var rows = (int)x.shape[0];
        var prompts = PromptFile.Read(ReferenceSet.At($"{run.Name}/prompts.pkl"));
        using var encoder = definition.LoadTextEncoder(CPU, dtype);
        var text = cat([.. prompts.Select(Embedded)]);
        var noText = cat([.. Enumerable.Repeat(Embedded(""), rows)]);
        var schedule = definition.CreateSchedule(int.Parse(Flag(run, "num_inference_steps"), CultureInfo.InvariantCulture));
        var made = new Dictionary<string, Tensor>();
        foreach (var (name, direction) in new[] { ("samples", Direction.Sampling), ("latents", Direction.Inversion),
            ("samples2", Direction.Sampling) })
        {
            x = DdimSampler.Run(
                model, schedule, direction, new DdimRun { X = x, Conditions = text, NullConditions = noText, GuidanceScale = Scale(run) });
            made[name] = x;
        }
        return made;

        Tensor Embedded(string prompt)
        {
            var bytes = encoder.Encode(prompt).Span;
            var values = dtype == ScalarType.Float64
                ? tensor(MemoryMarshal.Cast<byte, double>(bytes).ToArray())
                : tensor(MemoryMarshal.Cast<byte, float>(bytes).ToArray());
            return values.view(1, model.Text!.Value.Length, model.Text.Value.Width);
        }
    }

    static double Distance(Tensor a, Tensor b) => a.to(ScalarType.Float64).sub(b.to(ScalarType.Float64)).abs().max().item<double>();

    static double Scale(E2eCase run) => double.Parse(Flag(run, "guidance_scale"), CultureInfo.InvariantCulture);

    static string Flag(E2eCase run, string name) => run.Flags.First(f => f.Key == name).Value;
}

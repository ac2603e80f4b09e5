using Taba.Diffusion.Models;
using Taba.Diffusion.Native;
using Taba.Diffusion.Sampling;
using Taba.Diffusion.Schedules;
using static TorchSharp.torch;

namespace Taba.Bench;

/// <summary>
/// How far whole trajectories of a network in another precision or form are from those in float32 and the fast form: the same noise is
/// sampled, and the same samples are inverted. States are float32 everywhere.
/// </summary>
/// <param name="models">Names, folders or model.json.</param>
/// <param name="randomWeights">Draw the weights.</param>
/// <param name="samples">N.</param>
/// <param name="steps">T.</param>
sealed class DriftBench(string[] models, bool randomWeights, int samples, int steps)
{
    const int Seed = 420;

    static readonly (string Name, ScalarType Dtype, NetworkForm Form)[] s_others =
    [
        ("float32, plain", ScalarType.Float32, NetworkForm.Plain),
        ("bfloat16", ScalarType.BFloat16, NetworkForm.Fast),
    ];

    public int Run()
    {
        Console.WriteLine(
            $"T = {steps}, N = {samples}; differences from float32 in the fast form, root mean square over that of the tensor (largest)");
        Console.WriteLine();
        Console.WriteLine("| model | network | samples | latents of the same samples | latents' mean distance from the noise |");
        Console.WriteLine("|---|---|---|---|---|");
        foreach (var name in models)
            Measure(name);
        return 0;
    }

    void Measure(string name)
    {
        var model = BenchModel.Prepare(name, randomWeights, "cpu");
        var schedule = model.Definition.CreateSchedule(steps);
        using var generator = new Generator(Seed);
        using var scope = NewDisposeScope();
        var noise = randn(model.Definition.Shape.Batch(samples), generator: generator);
        var reference = Trajectories(model, ScalarType.Float32, NetworkForm.Fast, schedule, noise, samplesOf: null);
        Console.WriteLine($"| {model.Definition.Name} | float32, fast | 0 | 0 | {Distance(reference.Latents, noise):G3} |");
        foreach (var (other, dtype, form) in s_others)
        {
            var found = Trajectories(model, dtype, form, schedule, noise, reference.Samples);
            Console.WriteLine(
                $"| | {other} | {Difference(found.Samples, reference.Samples)} | {Difference(found.Latents, reference.Latents)} "
                + $"| {Distance(found.Latents, noise):G3} |");
        }
    }

    /// <param name="samplesOf">What is inverted; null for what was sampled.</param>
    static (Tensor Samples, Tensor Latents) Trajectories(
        BenchModel model, ScalarType dtype, NetworkForm form, IDiffusionSchedule schedule, Tensor noise, Tensor? samplesOf)
    {
        using var inference = inference_mode();
        using var network = model.Definition.Load(model.WeightsPath, CPU, dtype, form);
        using var conditions = Conditions(network, (int)noise.size(0));
        var sampled = DdimSampler.Run(network, schedule, Direction.Sampling, new DdimRun { X = noise, Conditions = conditions });
        var latents = DdimSampler.Run(
            network, schedule, Direction.Inversion, new DdimRun { X = samplesOf ?? sampled, Conditions = conditions });
        return (sampled, latents);
    }

    static Tensor? Conditions(IDenoiser network, int rows)
    {
        using var generator = new Generator(Seed);
        return network switch
        {
            { ClassCount: { } classes } => tensor([.. Enumerable.Range(0, rows).Select(i => (long)(i % classes))]),
            { Text: { } text } => randn([rows, text.Length, text.Width], generator: generator).to(network.TextType),
            _ => null,
        };
    }

    static string Difference(Tensor found, Tensor reference)
    {
        using var scope = NewDisposeScope();
        var difference = found.add(reference, Scalars.MinusOne);
        return $"{Rms(difference) / Rms(reference):G2} ({difference.abs().max().item<float>():G2})";
    }

    static double Distance(Tensor latents, Tensor noise)
    {
        using var scope = NewDisposeScope();
        return latents.add(noise, Scalars.MinusOne).abs().mean().item<float>();
    }

    static double Rms(Tensor values) => values.mul(values).mean().sqrt().item<float>();
}

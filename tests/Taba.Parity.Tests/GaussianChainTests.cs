namespace Taba.Parity.Tests;

/// <summary>
/// The whole chain on a model that is known in closed form, by the real command: every number of every file against a
/// recurrence in float64, and images and latents against the exact solution of the probability flow.
/// </summary>
[Collection(CommandLineCollection.Name)]
public sealed class GaussianChainTests(GaussianRuns runs, ITestOutputHelper output) : IClassFixture<GaussianRuns>
{
    const double Tolerance = 3e-5;

    /// <summary>
    /// Of results after forward replacement, when the whole chain is compared: diffused to ᾱ_K, a pixel that is clamped there
    /// carries what the images differ by, magnified by 1/√(1 - ᾱ_K) (67 at T = 1000 and K = 1), into its latent.
    /// </summary>
    const double ForwardTolerance = 1e-4;

    public static TheoryData<string, int> Runs
    {
        get
        {
            var data = new TheoryData<string, int>();
            foreach (var sweep in GaussianRuns.All)
            {
                foreach (var steps in sweep.Steps)
                    data.Add(sweep.Name, steps);
            }
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Runs))]
    public void Run_PlainChain_EqualsTheRecurrence(string name, int numInferenceSteps)
    {
        var chain = new GaussianChain(GaussianRuns.Find(name), numInferenceSteps);

        Check(chain, "", GaussianInversion.Plain);

        var predXstart = CommandLineTensor.Read(runs.Folder(chain.Sweep, numInferenceSteps, ""), "all_t_pred_xstart_samples").Values.ToArray();
        if (chain.Sweep.Deviation <= 0.1)
        {
            Assert.Equal(0, chain.Clamped);
            Assert.All(predXstart, value => Assert.InRange(value, -0.99f, 0.99f));
        }
        if (chain.Sweep.Deviation >= 1)
        {
            Assert.True(chain.Clamped > 0);
            Assert.Contains(1f, predXstart);
            Assert.Contains(-1f, predXstart);
        }
    }

    [Theory]
    [MemberData(nameof(Runs))]
    public void Run_SwappedPredictions_EqualsTheRecurrence(string name, int numInferenceSteps)
    {
        var chain = new GaussianChain(GaussianRuns.Find(name), numInferenceSteps);
        foreach (var before in chain.Sweep.SwapBefore)
            Check(chain, $"_swap_eps_before{before}", inputs => GaussianInversion.SwapEps(inputs, before));
    }

    [Theory]
    [MemberData(nameof(Runs))]
    public void Run_SwappedStates_EqualsTheRecurrence(string name, int numInferenceSteps)
    {
        var chain = new GaussianChain(GaussianRuns.Find(name), numInferenceSteps);
        foreach (var before in chain.Sweep.SwapBefore)
            Check(chain, $"_swap_xt_before{before}", inputs => GaussianInversion.SwapXt(inputs, before));
    }

    [Theory]
    [MemberData(nameof(Runs))]
    public void Run_ForwardReplacement_EqualsTheRecurrence(string name, int numInferenceSteps)
    {
        var chain = new GaussianChain(GaussianRuns.Find(name), numInferenceSteps);
        foreach (var before in GaussianRuns.Before)
            Check(chain, $"_forward_before{before}_seed{GaussianRuns.ForwardSeed}", inputs => GaussianInversion.Forward(inputs, chain, before), ForwardTolerance);
    }

    /// <summary>
    /// A recurrence that followed the sampler's levels into a mistake would not notice; the flow has no levels of its own. DDIM
    /// is a method of first order for it.
    /// </summary>
    [Fact]
    public void Run_MoreSteps_ApproachesTheProbabilityFlowInFirstOrder()
    {
        var sweep = GaussianRuns.Find("narrow");
        var (images, latents) = (new List<double>(), new List<double>());
        foreach (var numInferenceSteps in sweep.Steps)
        {
            var chain = new GaussianChain(sweep, numInferenceSteps);
            var folder = runs.Folder(sweep, numInferenceSteps, "");
            var samples = CommandLineTensor.Read(folder, "samples").Values.ToArray();
            images.Add(Rms(samples, element => chain.Of(element).FlowToImage(chain.Noise[element])) / sweep.Deviation);
            latents.Add(Rms(
                CommandLineTensor.Read(folder, "latents").Values.ToArray(), element => chain.Of(element).FlowToNoise(samples[element])));
        }
        output.WriteLine($"images {string.Join(", ", images.Select(e => $"{e:g3}"))} deviations; latents {string.Join(", ", latents.Select(e => $"{e:g3}"))}");

        Assert.Equal(3, images.Count);
        Assert.True(images[1] < images[0] / 5 && images[2] < images[1] / 6, $"images: {string.Join(", ", images)}");
        Assert.True(latents[1] < latents[0] / 2 && latents[2] < latents[1] / 6, $"latents: {string.Join(", ", latents)}");
        Assert.True(images[2] < 0.02 && latents[2] < 0.02, $"T = {sweep.Steps[2]}: images {images[2]}, latents {latents[2]}");
    }

    /// <summary>
    /// Compares a run twice: its results with the recurrence of the whole chain, from the noise on; and every tensor of every
    /// stage with a recurrence that begins with the rows that the stage was given. The latter because a clamped pixel magnifies
    /// what differs in its input by 1/√(1 - ᾱ), 100 at the lowest level and more than that where two stages do so in turn.
    /// </summary>
    void Check(GaussianChain chain, string intervention, Func<GaussianInputs, GaussianInversion> invert, double wholeTolerance = Tolerance)
    {
        var folder = runs.Folder(chain.Sweep, chain.NumInferenceSteps, intervention);
        Assert.Equal(chain.Noise, CommandLineTensor.Read(folder, "noise").Values);

        var whole = new GaussianComparison(folder, chain.Noise.Length);
        var latents = chain.Invert(invert(chain.Inputs));
        whole.Results("samples", chain.Sampling);
        whole.Results("latents", latents);
        whole.Results("samples2", chain.Reconstruct(element => latents[element][^1].X));

        var given = Inputs(chain, runs.Folder(chain.Sweep, chain.NumInferenceSteps, ""));
        var givenLatents = CommandLineTensor.Read(folder, "latents").Values.ToArray();
        var stages = new GaussianComparison(folder, chain.Noise.Length);
        if (intervention.Length == 0)
            stages.All("samples", chain.Sampling);
        stages.All("latents", chain.Invert(invert(given)));
        stages.All("samples2", chain.Reconstruct(element => givenLatents[element]));

        output.WriteLine($"{chain.Sweep.Name} T={chain.NumInferenceSteps}{intervention} chain: {whole}");
        output.WriteLine($"{chain.Sweep.Name} T={chain.NumInferenceSteps}{intervention} stages: {stages}");
        stages.Require(Tolerance);
        whole.Require(wholeTolerance);
    }

    /// <summary>What sampling gave to inversions, as the plain run's files have it.</summary>
    static GaussianInputs Inputs(GaussianChain chain, string plain)
    {
        var (samples, eps, states) = (Read("samples"), Read("all_t_eps_samples"), Read("all_t_samples"));
        var (rows, steps) = (chain.Noise.Length, chain.NumInferenceSteps);
        return new(
            element => samples[element],
            (element, k) => eps[((steps - 1 - k) * rows) + element],
            (element, k) => k + 1 < steps ? states[((steps - 2 - k) * rows) + element] : chain.Noise[element]);

        float[] Read(string name) => CommandLineTensor.Read(plain, name).Values.ToArray();
    }

    static double Rms(float[] actual, Func<int, double> expected) =>
        Math.Sqrt(actual.Select((value, element) => Math.Pow(value - expected(element), 2)).Average());
}

namespace Taba.Parity.Tests;

/// <summary>
/// The whole chain on a model that is known in closed form, by the real command: every number of every file against a
/// recurrence in float64, and the images against the exact solution of the probability flow.
/// </summary>
[Collection(CommandLineCollection.Name)]
public sealed class GaussianChainTests(GaussianRuns runs, ITestOutputHelper output) : IClassFixture<GaussianRuns>
{
    const double Tolerance = 3e-5;

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

        Check(chain, "", new GaussianInversion(0, chain.Sampled));

        // A narrow model never leaves the range of images; a wide one does.
        if (GaussianRuns.Find(name).Deviation <= 0.1)
            Assert.Equal(0, chain.Clamped);
        if (GaussianRuns.Find(name).Deviation >= 1)
            Assert.True(chain.Clamped > 0);
    }

    [Theory]
    [MemberData(nameof(Runs))]
    public void Run_SwappedPredictions_EqualsTheRecurrence(string name, int numInferenceSteps)
    {
        var chain = new GaussianChain(GaussianRuns.Find(name), numInferenceSteps);
        foreach (var before in BeforeOf(name))
        {
            Check(chain, $"_swap_eps_before{before}", new GaussianInversion(0, chain.Sampled)
            {
                Eps = (element, i) => i < before ? chain.Sampling(element)[^(i + 1)].Eps : null,
            });
        }
    }

    [Theory]
    [MemberData(nameof(Runs))]
    public void Run_SwappedStates_EqualsTheRecurrence(string name, int numInferenceSteps)
    {
        var chain = new GaussianChain(GaussianRuns.Find(name), numInferenceSteps);
        foreach (var before in BeforeOf(name))
        {
            Check(chain, $"_swap_xt_before{before}", new GaussianInversion(0, chain.Sampled)
            {
                // The state before the last sampling step, the one before that, ...; before the first it is the noise.
                Xt = (element, i) => i >= before ? null : i + 2 <= numInferenceSteps ? chain.Sampling(element)[^(i + 2)].X : chain.Noise[element],
            });
        }
    }

    [Theory]
    [MemberData(nameof(Runs))]
    public void Run_ForwardReplacement_EqualsTheRecurrence(string name, int numInferenceSteps)
    {
        var chain = new GaussianChain(GaussianRuns.Find(name), numInferenceSteps);
        var noise = GaussianRuns.Noise(GaussianRuns.ForwardSeed);
        foreach (var before in GaussianRuns.Before)
        {
            Check(chain, $"_forward_before{before}_seed{GaussianRuns.ForwardSeed}", new GaussianInversion(
                before, element => chain.Of(element).Diffuse(chain.Sampled(element), noise[element], before)));
        }
    }

    int[] BeforeOf(string name) => [.. GaussianRuns.Before, GaussianRuns.Find(name).Steps[0]];

    void Check(GaussianChain chain, string intervention, GaussianInversion inversion)
    {
        var folder = runs.Folder(chain.Sweep, chain.NumInferenceSteps, intervention);
        var noise = CommandLineTensor.Read(folder, "noise").Values.ToArray();
        Assert.Equal(chain.Noise, noise);

        var worst = new Dictionary<string, double>();
        var latents = Enumerable.Range(0, noise.Length).Select(element => chain.Of(element).Invert(
            inversion.Start(element), inversion.First, i => inversion.Eps(element, i), i => inversion.Xt(element, i))).ToArray();
        var reconstructions = latents.Select((steps, element) => chain.Of(element).Sample(steps[^1].X)).ToArray();
        if (intervention.Length == 0)
            Compare("samples", chain.Sampling);
        else
            CompareLast("samples", chain.Sampling);
        Compare("latents", element => latents[element]);
        Compare("samples2", element => reconstructions[element]);
        output.WriteLine($"{chain.Sweep.Name} T={chain.NumInferenceSteps}{intervention}: {string.Join(", ", worst.Select(w => $"{w.Key} {w.Value:g2}"))}");
        Assert.All(worst, w => Assert.True(w.Value <= Tolerance, $"{w.Key} differs by {w.Value:g3} from the recurrence."));

        void Compare(string name, Func<int, GaussianRecurrence.Step[]> steps)
        {
            CompareLast(name, steps);
            CompareAll($"all_t_{name}", steps, step => step.X);
            CompareAll($"all_t_eps_{name}", steps, step => step.Eps);
            CompareAll($"all_t_pred_xstart_{name}", steps, step => step.PredXstart);
        }

        void CompareLast(string name, Func<int, GaussianRecurrence.Step[]> steps)
        {
            var actual = CommandLineTensor.Read(folder, name);
            Assert.Equal([GaussianRuns.Samples, GaussianRuns.Channels, GaussianRuns.Side, GaussianRuns.Side], actual.Shape);
            for (var element = 0; element < noise.Length; element++)
                Note(name, actual.Values[element], steps(element)[^1].X);
        }

        void CompareAll(string name, Func<int, GaussianRecurrence.Step[]> steps, Func<GaussianRecurrence.Step, double?> part)
        {
            var actual = CommandLineTensor.Read(folder, name);
            Assert.Equal([steps(0).Length, GaussianRuns.Samples, GaussianRuns.Channels, GaussianRuns.Side, GaussianRuns.Side], actual.Shape);
            for (var element = 0; element < noise.Length; element++)
            {
                var expected = steps(element);
                for (var k = 0; k < expected.Length; k++)
                    // Where the state was given there is no prediction: the file is blank.
                    Note(name, actual.Values[(k * noise.Length) + element], part(expected[k]) ?? 0);
            }
        }

        void Note(string name, float actual, double expected) =>
            worst[name] = Math.Max(worst.GetValueOrDefault(name), double.IsFinite(actual) ? Math.Abs(actual - expected) : double.PositiveInfinity);
    }
}

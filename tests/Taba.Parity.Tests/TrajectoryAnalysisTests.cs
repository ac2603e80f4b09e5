using System.Text.Json;
using Taba.Diffusion;
using Taba.Diffusion.Metrics.Trajectories;

namespace Taba.Parity.Tests;

/// <summary>Distances along trajectories against the reference's, on the trajectories that its fixture is made of.</summary>
public sealed class TrajectoryAnalysisTests
{
    const int Steps = 6;
    const int Values = 8 * 768;

    static readonly Lazy<ReferenceTensors> s_inputs = new(() => ReferenceTensors.Load("metrics/inputs.safetensors"));
    static readonly Lazy<JsonElement> s_expected = new(
        () => JsonDocument.Parse(File.ReadAllBytes(ReferenceSet.At("metrics/expected.json"))).RootElement.GetProperty("scalars"));

    [Fact]
    public void Distances_AgreeWithTheReference()
    {
        var outputs = ReferenceTensors.Load("metrics/outputs.safetensors");
        var expected = outputs.Values<float>("interpolate_with_steps.get_interpolations_distances");
        var steps = Along("noise", "samples");
        for (var step = 0; step < Steps; step++)
        {
            for (var i = 0; i < Steps; i++)
                Assert.Equal(expected[(step * Steps) + i], steps[step].Distances[i], 1e-6 + (1e-5 * expected[(step * Steps) + i]));
        }
    }

    [Theory]
    [InlineData("sampling", "noise", "samples")]
    [InlineData("reverse", "samples", "latents")]
    public void CloserTo_AgreesWithTheReference(string name, string from, string to)
    {
        var expected = s_expected.Value.GetProperty("interpolate_with_steps.build_norm_df_closer").GetProperty(name);
        var steps = Along(from, to);
        Assert.Equal(Counts("Closer to Noise"), steps.Select(step => step.CloserToNoise));
        Assert.Equal(Counts("Closer to Latent"), steps.Select(step => step.CloserToLatent));

        IEnumerable<long> Counts(string column) =>
            expected.GetProperty(column).EnumerateArray().Select(count => (long)count.GetDouble());
    }

    /// <summary>A straight trajectory of six states, of the first eight items.</summary>
    static IReadOnlyList<TrajectoryStep> Along(string from, string to)
    {
        var (noise, latents) = (First("noise"), First("latents"));
        var analysis = new TrajectoryDistances(new StateShape(3, 16, 16), Steps, points: Steps);
        for (var step = 0; step < Steps; step++)
        {
            var share = step / 5f;
            analysis.Add(step, [.. First(from).Zip(First(to), (a, b) => a + (share * (b - a)))], noise, latents);
        }

        return analysis.Compute();

        static float[] First(string tensor) => s_inputs.Value.Values<float>(tensor)[..Values].ToArray();
    }
}

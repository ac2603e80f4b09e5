using System.Text.Json;
using Taba.Diffusion;
using Taba.Diffusion.Metrics.Differences;
using Taba.Diffusion.Metrics.Geometry;

namespace Taba.Parity.Tests;

/// <summary>Analyses of rows and of pairs of rows against the reference's numbers.</summary>
public sealed class PairAnalysisTests
{
    const double PlainTolerance = 1e-5;
    const double AngleTolerance = 1e-4;
    const double DegreesOfDeviations = 1e-3;

    static readonly StateShape s_shape = new(3, 16, 16);
    static readonly Lazy<ReferenceTensors> s_inputs = new(() => ReferenceTensors.Load("metrics/inputs.safetensors"));
    static readonly Lazy<ReferenceTensors> s_outputs = new(() => ReferenceTensors.Load("metrics/outputs.safetensors"));
    static readonly Lazy<JsonElement> s_expected = new(
        () => JsonDocument.Parse(File.ReadAllBytes(ReferenceSet.At("metrics/expected.json"))).RootElement.GetProperty("scalars"));

    static ReadOnlySpan<float> Noise => Input("noise");

    static ReadOnlySpan<float> Samples => Input("samples");

    static ReadOnlySpan<float> Latents => Input("latents");

    [Fact]
    public void AnglesAndDistances_AgreeWithTheReference()
    {
        var analysis = new AnglesAndDistances(s_shape);
        analysis.Add(Noise, Samples, Latents);
        var named = analysis.Value.Named();
        var angles = Expected("angles_distances.calc_angles");
        var distances = Expected("angles_distances.calc_distances");
        Assert.Equal(
            angles.EnumerateObject().Concat(distances.EnumerateObject()).Select(entry => entry.Name).Order(), named.Keys.Order());
        foreach (var entry in angles.EnumerateObject())
        {
            if (entry.Name.StartsWith("std", StringComparison.Ordinal))
                Assert.Equal(entry.Value.GetDouble(), named[entry.Name], DegreesOfDeviations);
            else
                Same(entry.Value, named[entry.Name], AngleTolerance);
        }

        foreach (var entry in distances.EnumerateObject())
            Same(entry.Value, named[entry.Name], PlainTolerance);
    }

    [Fact]
    public void AnglesAndDistances_WithReconstructions_AgreeWithTheReference()
    {
        // The second samples of this case are the latents, halved.
        var expected = Expected("angles_distances.calc_distances_with_sample2").GetProperty("mean_mse_img_img2");
        var halved = Latents.ToArray().Select(value => value / 2).ToArray();
        var analysis = new AnglesAndDistances(s_shape, withReconstructions: true);
        analysis.Add(Noise, Samples, Latents, halved);
        Same(expected, analysis.Value.SquaredError, PlainTolerance);
        Same(expected, analysis.Value.Named()["mean_mse_img_img2"], PlainTolerance);
    }

    [Fact]
    public void MostProbableTriangle_AgreesWithTheReference()
    {
        var analysis = new MostProbableTriangle(s_shape);
        analysis.Add(Noise, Samples, Latents);
        var found = analysis.Compute()!;
        Assert.Equal(Expected("most_probable_triangle.main stdout").GetString()!.Trim(), $"{found.Latent} {found.Sample} {found.Noise}");

        var angles = s_outputs.Value.Values<float>("most_probable_triangle.angles (sample, latent, noise vertex)");
        for (var row = 0; row < 32; row++)
        {
            var (atSample, atNoise, atLatent) = MostProbableTriangle.Angles(Row(Noise, row), Row(Samples, row), Row(Latents, row));
            Assert.Equal(angles[3 * row], atSample, AngleTolerance * 10);
            Assert.Equal(angles[(3 * row) + 1], atLatent, AngleTolerance * 10);
            Assert.Equal(angles[(3 * row) + 2], atNoise, AngleTolerance * 10);
        }
    }

    [Fact]
    public void MostProbableTriangle_OfHistograms_AgreesWithTheReference()
    {
        var histograms = s_inputs.Value.Values<double>("triangle_hists");
        var found = MostProbableTriangle.Find(histograms[..178], histograms[178..356], histograms[356..])!;
        var expected = Expected("most_probable_triangle.find_max_prob_triangle_angles(hists, bins 1..179)");
        Assert.Equal(
            expected.GetProperty("angles").EnumerateArray().Select(angle => angle.GetInt32()), [found.Latent, found.Sample, found.Noise]);
        Same(expected.GetProperty("prob"), found.Probability, PlainTolerance);
    }

    [Fact]
    public void PairErrors_AgreeWithTheReference()
    {
        var errors = new PairErrors(s_shape);
        errors.Add(Noise, Latents);
        Same(Expected("angles_distances.reconstruction_error").GetProperty("noise_latents"), errors.Value.Absolute, PlainTolerance);
        Same(Expected("angles_distances.calc_distances").GetProperty("mean_l2_noise_lat"), errors.Value.Distance.Mean, PlainTolerance);
        Same(Expected("angles_distances.calc_distances").GetProperty("std_l2_noise_lat"), errors.Value.Distance.Std, PlainTolerance);

        var pictures = new PairErrors(s_shape);
        pictures.Add(Planes("ssim_img1"), Planes("ssim_img2"));
        Same(Expected("alignment.calculate_psnr (cv2.PSNR, peak 255)"), pictures.Value.SignalToNoise.Mean, PlainTolerance);
    }

    [Fact]
    public void StructuralSimilarity_AgreesWithTheReference()
    {
        var similarity = new StructuralSimilarity(s_shape);
        similarity.Add(Planes("ssim_img1"), Planes("ssim_img2"));
        Same(Expected("alignment.calculate_ssim"), similarity.Value.Mean, PlainTolerance);
    }

    [Theory]
    [InlineData("noise_latents")]
    [InlineData("latents_noise")]
    public void GaussianDivergence_AgreesWithTheReference(string pair)
    {
        var names = pair.Split('_');
        var divergence = new GaussianDivergence(s_shape);
        divergence.Add(Input(names[0]), Input(names[1]));
        Same(Expected("normality.kl_div2").GetProperty(pair), divergence.Compute().PerPixel, PlainTolerance);
        Same(Expected("normality.kl_div").GetProperty(pair), divergence.Compute().Whole, PlainTolerance);
    }

    static ReadOnlySpan<float> Input(string name) => s_inputs.Value.Values<float>(name);

    static JsonElement Expected(string name) => s_expected.Value.GetProperty(name);

    static ReadOnlySpan<float> Row(ReadOnlySpan<float> rows, int row) => rows.Slice(row * 768, 768);

    /// <summary>A picture [H,W,C] as [C,H,W].</summary>
    static float[] Planes(string name)
    {
        var values = Input(name).ToArray();
        return [.. from c in Enumerable.Range(0, 3) from pixel in Enumerable.Range(0, 256) select values[(pixel * 3) + c]];
    }

    static void Same(JsonElement expected, double actual, double relative) =>
        Assert.Equal(expected.GetDouble(), actual, relative * Math.Abs(expected.GetDouble()));
}

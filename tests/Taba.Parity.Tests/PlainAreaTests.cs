using System.Text.Json;
using Taba.Diffusion;
using Taba.Diffusion.Metrics.PlainAreas;

namespace Taba.Parity.Tests;

/// <summary>Plain areas and what is measured of pixels, against the reference's masks and numbers.</summary>
public sealed class PlainAreaTests
{
    const double PlainTolerance = 1e-5;

    // Another encoder than Pillow's.
    const double EncoderTolerance = 0.01;

    static readonly StateShape s_shape = new(3, 16, 16);
    static readonly Lazy<ReferenceTensors> s_inputs = new(() => ReferenceTensors.Load("metrics/inputs.safetensors"));
    static readonly Lazy<ReferenceTensors> s_outputs = new(() => ReferenceTensors.Load("metrics/outputs.safetensors"));
    static readonly Lazy<JsonElement> s_expected = new(
        () => JsonDocument.Parse(File.ReadAllBytes(ReferenceSet.At("metrics/expected.json"))).RootElement.GetProperty("scalars"));

    static ReadOnlySpan<float> Images => s_inputs.Value.Values<float>("images_with_plain_area");

    [Theory]
    [InlineData("0.025", 0.025f)]
    [InlineData("0.1", 0.1f)]
    public void PlainMask_IsTheReferences(string name, float threshold)
    {
        var expected = s_outputs.Value.Bytes($"plain_masks.find_plain_areas.thr{name}");
        var mask = new PlainMask(s_shape, threshold);
        var plain = new bool[256];
        for (var row = 0; row < 32; row++)
        {
            mask.Find(Images.Slice(row * 768, 768), plain);
            Assert.Equal(expected.Slice(row * 256, 256).ToArray().Select(value => value != 0), plain);
        }
    }

    [Fact]
    public void PatchVariance_AgreesWithTheReference()
    {
        var analysis = new PatchVariance(s_shape);
        analysis.Add(Images);
        var expected = s_expected.Value.GetProperty("pixel_diversity.patch_var");
        Same(expected.GetProperty("plain_mean"), analysis.Value.Plain, PlainTolerance);
        Same(expected.GetProperty("non_plain_mean"), analysis.Value.Other, PlainTolerance);
        Same(expected.GetProperty("all_mean"), analysis.Value.All, PlainTolerance);

        var all = s_outputs.Value.Values<float>("pixel_diversity.patch_var.all");
        var variances = new double[256];
        for (var row = 0; row < 32; row++)
        {
            PatchVariance.Find(s_shape, Images.Slice(row * 768, 768), variances);
            for (var i = 0; i < 256; i++)
                Assert.Equal(all[(row * 256) + i], variances[i], 1e-7 + (PlainTolerance * variances[i]));
        }
    }

    [Fact]
    public void PngBits_AreAboutTheReferences()
    {
        var analysis = new PngBits(s_shape);
        analysis.Add(Images);
        var expected = s_expected.Value.GetProperty("pixel_diversity.png_bpp (PNG/zlib level 9; encoder dependent)");
        Same(expected[0], analysis.Value.PlainOverAll, EncoderTolerance);
        Same(expected[1], analysis.Value.OtherOverAll, EncoderTolerance);
    }

    [Fact]
    public void PixelComplexity_AgreesWithTheReference()
    {
        var bytes = s_inputs.Value.Bytes("images_u8");
        var entropies = s_expected.Value.GetProperty("pixel_diversity.shannon_entropy");
        var lengths = s_expected.Value.GetProperty("pixel_diversity.kolmogorov_complexity (cv2 PNG + zlib; encoder dependent)");
        Assert.Equal(4, entropies.GetArrayLength());
        for (var row = 0; row < 4; row++)
        {
            var picture = bytes.Slice(row * 768, 768).ToArray();
            var complexity = new PixelComplexity(s_shape, PixelScale.Bytes);
            complexity.Add([.. from c in Enumerable.Range(0, 3) from i in Enumerable.Range(0, 256) select (float)picture[(i * 3) + c]]);
            Same(entropies[row], complexity.Entropy.Mean, PlainTolerance);
            Same(lengths[row], complexity.CompressedLength.Mean, EncoderTolerance);
        }
    }

    static void Same(JsonElement expected, double actual, double relative) =>
        Assert.Equal(expected.GetDouble(), actual, relative * Math.Abs(expected.GetDouble()));
}

using System.Globalization;
using System.Text.Json;
using Taba.Diffusion;
using Taba.Diffusion.Metrics;
using Taba.Testing;

namespace Taba.Parity.Tests;

/// <summary>The streaming metrics against the reference's scalars, rows added in parts of several sizes.</summary>
public sealed class MetricTests
{
    const double PlainTolerance = 1e-5;
    const double CorrelationTolerance = 1e-4;

    // The reference takes mean and spread in float32, which is felt where values nearly cancel.
    const double AbsoluteTolerance = 1e-7;

    static readonly ReferenceTensors Inputs = ReferenceTensors.Load("metrics/inputs.safetensors");
    static readonly JsonElement Expected = ReadJson("metrics/expected.json").GetProperty("scalars");

    public static TheoryData<string, string> Entries(string metric)
    {
        var data = new TheoryData<string, string>();
        foreach (var tensor in Expected.GetProperty(metric).EnumerateObject())
        {
            foreach (var setting in tensor.Value.EnumerateObject())
                data.Add(tensor.Name, setting.Name);
        }

        return data;
    }

    public static TheoryData<string> Names(string metric) => [.. Expected.GetProperty(metric).EnumerateObject().Select(entry => entry.Name)];

    [Theory]
    [MemberData(nameof(Entries), "correlation.get_top_k_corr_in_patches")]
    public void PatchCorrelation_OfEveryCase_AgreesWithTheReference(string tensor, string setting)
    {
        var parts = setting.Split('_');
        var patchSize = int.Parse(parts[0].AsSpan("patch".Length), CultureInfo.InvariantCulture);
        var topK = int.Parse(parts[1].AsSpan("top".Length), CultureInfo.InvariantCulture);
        using var correlation = new PatchCorrelation(Shape(tensor), patchSize, topK);
        AddInParts(correlation, tensor);

        SameSummary(Expected.GetProperty("correlation.get_top_k_corr_in_patches").GetProperty(tensor).GetProperty(setting), correlation.Compute());
    }

    [Theory]
    [MemberData(nameof(Entries), "correlation.get_top_k_corr")]
    public void WholeCorrelation_OfEveryCase_AgreesWithTheReference(string tensor, string topK)
    {
        var shape = Shape(tensor);
        using var correlation = new PatchCorrelation(shape, Math.Max(shape.Height, shape.Width), int.Parse(topK, CultureInfo.InvariantCulture));
        AddInParts(correlation, tensor);

        SameSummary(Expected.GetProperty("correlation.get_top_k_corr").GetProperty(tensor).GetProperty(topK), correlation.Compute());
    }

    [Theory]
    [MemberData(nameof(Names), "normality.stats_from_tensor")]
    public void Moments_OfEveryCase_AgreeWithTheReference(string tensor)
    {
        var expected = Expected.GetProperty("normality.stats_from_tensor").GetProperty(tensor);
        var actual = MomentsOf(Inputs.Values<float>(tensor));
        Same(expected.GetProperty("mean"), actual.Mean, PlainTolerance);
        Same(expected.GetProperty("std"), actual.Std, PlainTolerance);
    }

    [Theory]
    [MemberData(nameof(Names), "normality.kl_div")]
    public void KlDivergence_OfEveryCase_AgreesWithTheReference(string pair)
    {
        var names = pair.Split('_');
        var actual = KlDivergence.Between(MomentsOf(Inputs.Values<float>(names[0])), MomentsOf(Inputs.Values<float>(names[1])));
        Same(Expected.GetProperty("normality.kl_div").GetProperty(pair), actual, PlainTolerance);
    }

    [Theory]
    [MemberData(nameof(Names), "angles_distances.reconstruction_error")]
    public void MeanAbsoluteError_OfEveryCase_AgreesWithTheReference(string pair)
    {
        var names = pair.Split('_');
        var error = new MeanAbsoluteError();
        error.Add(Inputs.Values<float>(names[0]), Inputs.Values<float>(names[1]));
        Same(Expected.GetProperty("angles_distances.reconstruction_error").GetProperty(pair), error.Value, PlainTolerance);
    }

    [Theory]
    [InlineData("e2e/adm/sample_T10")]
    [InlineData("e2e/adm/sample_T25")]
    public void Metrics_OfARun_AreThoseOfItsMetricsFile(string run)
    {
        var tensors = ReferenceTensors.Load($"{run}/tensors.safetensors");
        var expected = ReadJson($"{run}/metrics.json").GetProperty("metrics");
        var (noise, latents) = (MomentsOf(tensors.Values<float>("noise")), MomentsOf(tensors.Values<float>("latents")));

        Same(expected.GetProperty("kl_div_noise_latent"), KlDivergence.Between(noise, latents), 1e-3);
        Same(expected.GetProperty("noise_stats").GetProperty("std"), noise.Std, 1e-3);
        Same(expected.GetProperty("latent_stats").GetProperty("mean"), latents.Mean, 1e-3);
        Same(expected.GetProperty("reconstruction_error_noise"), ErrorOf("noise", "latents"), 1e-3);
        Same(expected.GetProperty("reconstruction_error_images"), ErrorOf("samples", "samples2"), 1e-3);

        using var correlation = new PatchCorrelation(ShapeOf(tensors.Shape("latents")));
        correlation.Add(tensors.Values<float>("latents"));
        var summary = correlation.Compute();
        Same(expected.GetProperty("correlation").GetProperty("mean"), summary.Mean, 1e-2);

        double ErrorOf(string first, string second)
        {
            var error = new MeanAbsoluteError();
            error.Add(tensors.Values<float>(first), tensors.Values<float>(second));
            return error.Value;
        }
    }

    static void AddInParts(PatchCorrelation correlation, string tensor)
    {
        var row = (int)Shape(tensor).Elements;
        var values = Inputs.Values<float>(tensor);
        for (var part = 1; !values.IsEmpty; part++)
        {
            var length = Math.Min(values.Length, part * row);
            correlation.Add(values[..length]);
            values = values[length..];
        }
    }

    static Moments MomentsOf(ReadOnlySpan<float> values)
    {
        var moments = new MomentsAccumulator();
        moments.Add(values[..(values.Length / 3)]);
        moments.Add(values[(values.Length / 3)..]);
        return moments.Value;
    }

    static StateShape Shape(string tensor) => ShapeOf(Inputs.Shape(tensor));

    static StateShape ShapeOf(long[] sizes) => new((int)sizes[1], (int)sizes[2], (int)sizes[3]);

    static void SameSummary(JsonElement expected, CorrelationSummary actual)
    {
        Same(expected.GetProperty("mean"), actual.Mean, CorrelationTolerance);
        Same(expected.GetProperty("std"), actual.Std, CorrelationTolerance);
    }

    static void Same(JsonElement expected, double actual, double relative)
    {
        if (expected.ValueKind == JsonValueKind.String)
        {
            Assert.Equal("NaN", expected.GetString());
            Assert.Equal(double.NaN, actual);
            return;
        }

        var value = expected.GetDouble();
        Assert.Equal(value, actual, AbsoluteTolerance + (relative * Math.Abs(value)));
    }

    static JsonElement ReadJson(string relative) => JsonDocument.Parse(File.ReadAllBytes(Fixtures.At(relative))).RootElement;
}

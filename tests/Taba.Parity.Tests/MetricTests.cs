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

    static readonly Lazy<ReferenceTensors> s_inputs = new(() => ReferenceTensors.Load("metrics/inputs.safetensors"));

    static readonly Lazy<JsonElement> s_expected = new(() => ReadJson("metrics/expected.json").GetProperty("scalars"));

    static readonly string[] s_ofARun = ["noise", "latents", "samples", "samples2"];

    /// <summary>Runs that stored every tensor which their metrics are of.</summary>
    public static TheoryData<string> Runs =>
    [
        .. E2eCase.Discover(scripts: true).Where(name => E2eCase.Read(name) is { Metrics: { } metrics } run
            && s_ofARun.All(run.Tensors.Has) && metrics.GetProperty("metrics").TryGetProperty("correlation", out _)),
    ];

    static ReferenceTensors Inputs => s_inputs.Value;

    static JsonElement Expected => s_expected.Value;

    public static TheoryData<string, string> Entries(string metric)
    {
        var data = new TheoryData<string, string>();
        foreach (var tensor in Tensors(metric))
        {
            foreach (var setting in tensor.Value.EnumerateObject())
                data.Add(tensor.Name, setting.Name);
        }

        return data;
    }

    public static TheoryData<string> Names(string metric) => [.. Tensors(metric).Select(entry => entry.Name)];

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Entries), "correlation.get_top_k_corr_in_patches")]
    public void PatchCorrelation_OfEveryCase_AgreesWithTheReference(string tensor, string setting)
    {
        var parts = setting.Split('_');
        var patchSize = int.Parse(parts[0].AsSpan("patch".Length), CultureInfo.InvariantCulture);
        var topK = int.Parse(parts[1].AsSpan("top".Length), CultureInfo.InvariantCulture);
        using var correlation = new PatchCorrelation(Shape(tensor), patchSize, topK);
        AddInParts(correlation, tensor);

        SameSummary(
            Expected.GetProperty("correlation.get_top_k_corr_in_patches").GetProperty(tensor).GetProperty(setting), correlation.Compute());
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Entries), "correlation.get_top_k_corr")]
    public void WholeCorrelation_OfEveryCase_AgreesWithTheReference(string tensor, string topK)
    {
        var shape = Shape(tensor);
        using var correlation = new PatchCorrelation(
            shape, Math.Max(shape.Height, shape.Width), int.Parse(topK, CultureInfo.InvariantCulture));
        AddInParts(correlation, tensor);

        SameSummary(Expected.GetProperty("correlation.get_top_k_corr").GetProperty(tensor).GetProperty(topK), correlation.Compute());
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Names), "normality.stats_from_tensor")]
    public void Moments_OfEveryCase_AgreeWithTheReference(string tensor)
    {
        var expected = Expected.GetProperty("normality.stats_from_tensor").GetProperty(tensor);
        var actual = MomentsOf(Inputs.Values<float>(tensor));
        Same(expected.GetProperty("mean"), actual.Mean, PlainTolerance);
        Same(expected.GetProperty("std"), actual.Std, PlainTolerance);
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Names), "normality.kl_div")]
    public void KlDivergence_OfEveryCase_AgreesWithTheReference(string pair)
    {
        var names = pair.Split('_');
        var actual = KlDivergence.Between(MomentsOf(Inputs.Values<float>(names[0])), MomentsOf(Inputs.Values<float>(names[1])));
        Same(Expected.GetProperty("normality.kl_div").GetProperty(pair), actual, PlainTolerance);
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Names), "angles_distances.reconstruction_error")]
    public void MeanAbsoluteError_OfEveryCase_AgreesWithTheReference(string pair)
    {
        var names = pair.Split('_');
        var error = new MeanAbsoluteError();
        error.Add(Inputs.Values<float>(names[0]), Inputs.Values<float>(names[1]));
        Same(Expected.GetProperty("angles_distances.reconstruction_error").GetProperty(pair), error.Value, PlainTolerance);
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Runs))]
    public void Metrics_OfARun_AreThoseOfItsMetricsFile(string name)
    {
        var run = E2eCase.Read(name);
        var tensors = run.Tensors;
        var expected = run.Metrics!.Value.GetProperty("metrics");
        var (noise, latents) = (MomentsOf(tensors.Values<float>("noise")), MomentsOf(tensors.Values<float>("latents")));

        Same(expected.GetProperty("kl_div_noise_latent"), KlDivergence.Between(noise, latents), 1e-3);
        Same(expected.GetProperty("noise_stats").GetProperty("std"), noise.Std, 1e-3);
        Same(expected.GetProperty("latent_stats").GetProperty("mean"), latents.Mean, 1e-3);
        Same(expected.GetProperty("reconstruction_error_noise"), ErrorOf("noise", "latents"), 1e-3);
        if (Images(run) is var (first, second))
            Same(expected.GetProperty("reconstruction_error_images"), ErrorOf(first, second), 1e-3);

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

    /// <summary>
    /// The stored pictures and their reconstructions: states of a latent family are none, and its decoded ones may not be stored.
    /// </summary>
    static (string, string)? Images(E2eCase run)
    {
        (string, string)[] decoded = [("samples_decoded", "samples2_decoded"), ("decoded_samples", "decoded_samples2")];
        foreach (var (first, second) in decoded)
        {
            if (run.Tensors.Has(first) && run.Tensors.Has(second))
                return (first, second);
        }
        return run.StatesArePictures ? ("samples", "samples2") : null;
    }

    /// <summary>The entries of a metric; none where the set has no such metric.</summary>
    static JsonElement.ObjectEnumerator Tensors(string metric) =>
        File.Exists(ReferenceSet.At("metrics/expected.json")) && Expected.TryGetProperty(
            metric, out var entries) ? entries.EnumerateObject() : default;

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

    static JsonElement ReadJson(string relative) => JsonDocument.Parse(File.ReadAllBytes(ReferenceSet.At(relative))).RootElement;
}

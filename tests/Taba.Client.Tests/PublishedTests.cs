using System.Collections.Immutable;
using Taba.Client.Reports;
using Taba.Silo.Models;
using Taba.Silo.Outputs;
using Taba.Storage.RunFolders;
using Taba.Testing;

namespace Taba.Client.Tests;

/// <summary>The paper's values stand beside those of its own models only.</summary>
public sealed class PublishedTests
{
    const string Checkpoint = "/w/cifar10_uncond_50M_500K.pt";

    [Theory]
    [InlineData("adm-32", Checkpoint, "/m/adm-32/model.json", 32, "adm-32")]
    [InlineData("cifar_pixel_32", Checkpoint, "/m/adm-32/model.json", 32, "adm-32")]
    [InlineData("dit-xl-2-256", null, "/hub/models--facebook--DiT-XL-2-256/snapshots/ab", 32, "dit-xl-2-256")]
    // Other weights, another size, no model of the paper, and one that it tells nothing of.
    [InlineData("adm-32", "/w/mine.pt", "/m/adm-32/model.json", 32, null)]
    [InlineData("adm-32", Checkpoint, "/m/adm-32/model.json", 16, null)]
    [InlineData("dit-xl-2-256", null, "/models/dit", 32, null)]
    [InlineData("demo", "/m/demo.safetensors", "/m/demo/model.json", 32, null)]
    [InlineData("adm-256", "/w/256x256_diffusion_uncond.pt", "/m/adm-256/model.json", 256, null)]
    public void Values_AreOfTheModelsThatThePaperHas(string name, string? weights, string path, int size, string? expected) =>
        Assert.Equal(expected, PublishedValues.All.Of(Run(name, weights, path, size))?.Model);

    [Fact]
    public void Values_OfTheFile_AreOfKnownModelsAndComplete()
    {
        Assert.All(PublishedValues.All.Models, m => Assert.NotNull(KnownModels.Find(m.Model)));
        Assert.All(PublishedValues.All.Models, m => Assert.Equal(
            ["latent_correlation", "noise_correlation", "sample_correlation"],
            m.Values.Keys.Where(k => k.EndsWith("correlation", StringComparison.Ordinal)).Order(StringComparer.Ordinal)));
        // The order that the paper tells of: IF, ADM-32, ADM-64, DiT, LDM.
        Assert.Equal(
            ["if-i-xl", "adm-32", "adm-64", "dit-xl-2-256", "ldm-celebahq-256"],
            PublishedValues.All.Models.OrderByDescending(m => m.Values["latent_correlation"]).Select(m => m.Model));
    }

    [Fact]
    public void Page_OfAModelOfThePaper_MarksItsValuesAsSecondHandAndMeasuresTheSame()
    {
        using var folder = new TempFolder();
        // 40 images whose left half is of one colour each and whose latents are wrong there by 0.5, elsewhere by 0.25.
        var random = new Random(3);
        float[] images =
        [
            .. Enumerable.Range(0, 40 * 3 * 1024).Select(i => i % 32 < 16 ? i / 3072 / 40f : (float)random.NextDouble() * 2 - 1),
        ];
        float[] noise = [.. images.Select(_ => (float)random.NextDouble())];
        float[] latents = [.. noise.Select((n, i) => n + (i % 32 < 15 ? 0.5f : 0.25f))];
        NumpyFile.Write(folder.At("samples.npy"), images, 40, 3, 32, 32);
        NumpyFile.Write(folder.At("noise.npy"), noise, 40, 3, 32, 32);
        NumpyFile.Write(folder.At("latents.npy"), latents, 40, 3, 32, 32);

        var page = Page(Run("adm-32", Checkpoint, "/m/adm-32/model.json", 32, folder.Path));

        Assert.Contains("paper, second-hand", page, StringComparison.Ordinal);
        Assert.Matches("<td>patch correlation of latents</td><td class=\"number\">0.382</td><td class=\"number\">0.3</td>", page);
        Assert.Matches("<td>latents − noise, plain areas</td><td class=\"number\">0.49</td><td class=\"number\">0.4[89]", page);
        Assert.Matches("<td>latents − noise, elsewhere</td><td class=\"number\">0.43</td><td class=\"number\">0.25</td>", page);
        // Half of the patches are of one colour, and so correlated by 1; the others as noise is at N = 40.
        Assert.Matches("samples, as the sampler left them</td><td class=\"number\">0.964</td><td class=\"number\">0\\.[78]", page);
        var other = Page(Run("demo", "/m/demo.safetensors", "/m/demo/model.json", 32, folder.Path));
        Assert.DoesNotContain("second-hand", other, StringComparison.OrdinalIgnoreCase);
    }

    static string Page(ReportRun run)
    {
        RunSection[] sections = [new(run, [])];
        return ReportPage.Of("p", sections, ReportFigures.Of(ReportGroup.Of(sections), CancellationToken.None));
    }

    static ReportRun Run(string model, string? weights, string path, int size, string folder = "/nowhere") => new(
        OutputFolder.At(folder),
        new RunFolder
        {
            Sweep = "s",
            SweepId = "id",
            Run = "r",
            Axes = ImmutableSortedDictionary<string, string>.Empty.Add("model", model).Add("num_inference_steps", "100"),
            RowStart = 0,
            RowEnd = 40,
            Model = new("adm", path, weights, "", [model.StartsWith("dit", StringComparison.Ordinal) ? 4 : 3, size, size]),
            Stages = [],
            Tensors = [],
            Device = "cpu",
            Versions = ImmutableSortedDictionary<string, string>.Empty,
            WrittenAt = DateTimeOffset.UnixEpoch,
        },
        new Dictionary<string, double> { ["correlation.mean"] = 0.3, ["noise_correlation.mean"] = 0.2 },
        new Dictionary<string, string>());
}

using System.Runtime.InteropServices;
using SkiaSharp;
using Taba.Diffusion.Metrics;
using Taba.Diffusion.Metrics.Analyses;
using Taba.Diffusion.Metrics.Features;
using Taba.Diffusion.Metrics.Pictures;
using Taba.Diffusion.Models.Features;
using Taba.Diffusion.Models.TextEncoders;
using Taba.Diffusion.Weights;
using Taba.Testing;
using static TorchSharp.torch;

namespace Taba.Diffusion.Tests.Metrics.Pictures;

public sealed class PictureAnalysesTests : IDisposable
{
    static readonly StateShape s_shape = new(3, 40, 36);

    readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Fid_IsThatOfFeaturesMadeOneByOne()
    {
        using var settings = Settings(new() { [FeatureNetwork.Inception] = FeatureCheckpoints.WriteInception(_folder.At("inception")) }, 5);
        var (run, other) = (new PictureRun(6, s_shape), new PictureRun(4, s_shape, seed: 5));
        using var compared = With(settings, other);

        var numbers = Measure("fid", compared, run);

        using var scope = NewDisposeScope();
        using var weights = WeightsFile.Open(_folder.At("inception"));
        using var inception = InceptionFeatures.Load(weights, CPU);
        var expected = FrechetDistance.Between(Moments(run, 6), Moments(other, 4));
        Assert.InRange(expected, 1e-3, 1e9);
        Assert.Equal(expected, numbers["value"], 1e-4 * expected);
        Assert.Equal(4, numbers["reference_n"]);

        GaussianMoments Moments(PictureRun of, int count)
        {
            var moments = new GaussianMoments(InceptionFeatures.Width);
            for (var row = 0; row < count; row++)
            {
                var input = PictureInput.LikeTensorFlow1(of.Bytes(TensorRole.Images, row), 40, 36, InceptionFeatures.Side);
                moments.Add(inception.Forward(tensor(input, [1, 3, 299, 299])).Features.data<float>().ToArray());
            }

            return moments;
        }
    }

    [Fact]
    public void Fid_OfPicturesAgainstThemselvesInFiles_IsNothing()
    {
        // What a tensor is cut off to is what a PNG of it holds: values within a step lose nothing.
        var run = new PictureRun(11, s_shape);
        for (var row = 0; row < 11; row++)
            WritePng(_folder.At($"{row}.png"), run.Bytes(TensorRole.Images, row));
        using var weights = new TempFolder();
        using var settings = new PictureSettings(
            new(new Dictionary<FeatureNetwork, string>
            {
                [FeatureNetwork.Inception] = FeatureCheckpoints.WriteInception(weights.At("inception")),
            }),
            new(CPU, 4))
        {
            Reference = PictureFiles.Open(_folder.Path),
        };

        Assert.InRange(Measure("fid", settings, run)["value"], 0, 1e-6);
        Assert.InRange(Measure("inception-score", settings, run)["mean"], 1, 1008);
    }

    [Fact]
    public void PrecisionRecall_OfATightSetWithinAWideOne_IsNamedByRole()
    {
        // Features are mean colours: references lie anywhere, all generated pictures close to one of them.
        var substitute = new PictureEmbedder(
            new MemoryStream(), 36, picture => PictureInput.Squeezed(picture.Pixels, picture.Height, picture.Width, 36),
            pictures => pictures.mean([2, 3]));
        using var settings = new PictureSettings(
            new(new Dictionary<FeatureNetwork, string> { [FeatureNetwork.Vgg] = "vgg" }) { Substitute = _ => substitute }, new(CPU, 8))
        {
            Reference = new Colours("reference", [.. Enumerable.Range(0, 40).Select(i => (byte)(6 * i))]),
        };
        var analysis = PictureAnalyses.With(settings).Single(a => a.Name == "precision-recall");
        var run = new PictureRun(20, s_shape);

        // Random pictures all have a mean colour near the middle, which is near references 19 to 23 of 40.
        var numbers = Numbers(analysis.Measure(run, CancellationToken.None).Metrics);

        Assert.Equal(1, numbers["precision"]);
        Assert.InRange(numbers["recall"], 0, 0.1);
        Assert.Equal(40, numbers["reference_n"]);
    }

    [Fact]
    [Trait(Needs.Trait, Needs.Process)]
    public void Fid_ToStatisticsThatNumpySaved_IsThatToTheirPictures()
    {
        Assert.SkipWhen(PythonTorch.MissingNumpy is not null, PythonTorch.MissingNumpy ?? "");
        var path = FeatureCheckpoints.WriteInception(_folder.At("inception"));
        using var settings = Settings(new() { [FeatureNetwork.Inception] = path }, 5);
        var (run, other) = (new PictureRun(5, s_shape), new PictureRun(3, s_shape, seed: 5));
        using var compared = With(settings, other);
        var expected = Measure("fid", compared, run)["value"];
        var moments = PictureSettings.MomentsOf(compared.Features(FeatureNetwork.Inception, compared.Reference!, CancellationToken.None));
        File.WriteAllBytes(_folder.At("mu"), MemoryMarshal.AsBytes(moments.Mean).ToArray());
        File.WriteAllBytes(_folder.At("sigma"), MemoryMarshal.AsBytes(moments.Covariance().AsSpan()).ToArray());
        PythonTorch.Run(
            """
            import sys, numpy as np
            d = sys.argv[1]
            np.savez(d + "/known.npz", mu=np.fromfile(d + "/mu"), sigma=np.fromfile(d + "/sigma").reshape(2048, 2048))
            np.savez(d + "/other.npz", mu=np.zeros(3), sigma=np.zeros((3, 3)))
            np.savez(d + "/half.npz", mu=np.zeros(2048))
            """,
            _folder.Path);

        using var known = new PictureSettings(settings.Weights, settings.Pass)
        {
            Statistics = FeatureStatistics.Open(_folder.At("known.npz")),
        };

        Assert.Equal(expected, Measure("fid", known, run)["value"], 1e-9 * expected);
        Assert.Null(PictureAnalyses.Lacking("fid", known));
        Assert.Contains("only statistics", PictureAnalyses.Lacking("kid", known), StringComparison.Ordinal);
        Assert.Contains(
            "[3]", Assert.Throws<WeightsFormatException>(() => FeatureStatistics.Open(_folder.At("other.npz"))).Message,
            StringComparison.Ordinal);
        Assert.Contains(
            "no sigma.npy", Assert.Throws<WeightsFormatException>(() => FeatureStatistics.Open(_folder.At("half.npz"))).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void ClipScore_IsTwoAndAHalfTimesTheCosine()
    {
        var path = FeatureCheckpoints.WriteClip(_folder.At("clip"));
        using var settings = Settings(new() { [FeatureNetwork.Clip] = path }, 2);
        string[] prompts = ["a cat", "two dogs on a long, long walk", "", "\u00E9", "grass"];
        var run = new PictureRun(5, s_shape) { Prompts = prompts };

        var numbers = Measure("clip-score", settings, run);

        using var scope = NewDisposeScope();
        using var clip = TransformersFolder.LoadClip(path, CPU);
        var tokenizer = ClipTokenizer.Load(path);
        var scores = prompts.Select((prompt, row) =>
        {
            var input = PictureInput.Cropped(
                run.Bytes(TensorRole.Images, row), 40, 36, 32, 32, [.. ClipFeatures.Mean], [.. ClipFeatures.Deviation]);
            var ofImage = clip.OfPictures(tensor(input, [1, 3, 32, 32]));
            var ofText = clip.OfTexts(tensor(tokenizer.Encode(prompt, 12), [1, 12]));
            return 2.5 * Math.Max(0, nn.functional.cosine_similarity(ofImage, ofText).item<float>());
        }).ToList();
        Assert.Contains(scores, score => score > 0.05);
        Assert.Equal(scores.Average(), numbers["mean"], 1e-5);
        Assert.Equal(Math.Sqrt(scores.Average(s => (s - scores.Average()) * (s - scores.Average()))), numbers["std"], 1e-5);
    }

    [Fact]
    public void Lpips_IsThatOfTheNetwork()
    {
        var alexNet = FeatureCheckpoints.WriteAlexNet(_folder.At("alexnet"));
        var channels = FeatureCheckpoints.WriteLpips(_folder.At("lpips"));
        using var settings = Settings(new() { [FeatureNetwork.AlexNet] = alexNet, [FeatureNetwork.Lpips] = channels }, 2);
        var run = new PictureRun(3, s_shape);

        var numbers = Measure("lpips", settings, run);

        using var scope = NewDisposeScope();
        using var first = WeightsFile.Open(alexNet);
        using var second = WeightsFile.Open(channels);
        using var lpips = Lpips.Load(first, second, CPU);
        var distances = lpips.Forward(Pictures(TensorRole.Images), Pictures(TensorRole.ReconstructedImages)).data<float>().ToArray();
        Assert.Equal(distances.Average(), numbers["mean"], 1e-5 * Math.Abs(distances.Average()));
        Assert.NotEqual(0, numbers["std"]);

        Tensor Pictures(TensorRole role)
        {
            var values = new float[3 * s_shape.Elements];
            run.Tensor(role)!.Read(0, values);
            PictureInput.Quantised(values, values);
            return tensor(values, [3, 3, 40, 36]);
        }
    }

    [Theory]
    [InlineData("dino")]
    [InlineData("clip-images")]
    [InlineData("clip-score")]
    public void Parts_WrittenReadAndMerged_AreTheWhole(string name)
    {
        using var settings = Settings(
            new()
            {
                [FeatureNetwork.Dino] = FeatureCheckpoints.WriteVit(_folder.At("dino")),
                [FeatureNetwork.Clip] = FeatureCheckpoints.WriteClip(_folder.At("clip")),
            },
            3);
        var run = new PictureRun(8, s_shape) { Prompts = [.. Enumerable.Range(0, 8).Select(i => new string('a', i))] };
        var analysis = PictureAnalyses.With(settings).Single(a => a.Name == name);
        Assert.True(analysis.InParts);
        var whole = Numbers(analysis.Measure(run, CancellationToken.None).Metrics);

        using var merged = analysis.Begin(run);
        merged.Measure(0, 3, CancellationToken.None);
        using var part = analysis.Begin(run, 3);
        part.Measure(3, 5, CancellationToken.None);
        var bytes = new MemoryStream();
        part.Write(new(bytes));
        bytes.Position = 0;
        using var read = analysis.Begin(run, 3);
        read.Read(new(bytes));
        merged.Merge(read);

        var parts = Numbers(merged.Compute().Metrics);
        Assert.InRange(whole["mean"], -1, 2.5);
        Assert.Equal(whole["mean"], parts["mean"], 1e-6);
        Assert.Equal(whole["std"], parts["std"], 1e-6);
    }

    [Fact]
    public void Lacking_WithoutWeightsReferenceOrEnoughOfIt_SaysSo()
    {
        using var none = Settings([], 1);
        Assert.Contains("--features inception=PATH", PictureAnalyses.Lacking("kid", none), StringComparison.Ordinal);
        Assert.Contains("alexnet and lpips", PictureAnalyses.Lacking("lpips", none), StringComparison.Ordinal);
        using var inception = Settings(new() { [FeatureNetwork.Inception] = "inception" }, 1);
        Assert.Contains("--reference", PictureAnalyses.Lacking("kid", inception), StringComparison.Ordinal);
        Assert.Null(PictureAnalyses.Lacking("inception-score", inception));
        using var few = With(inception, new PictureRun(12, s_shape));
        Assert.Equal("it needs 1000 pictures, and the reference has 12", PictureAnalyses.Lacking("kid", few));
        Assert.Null(PictureAnalyses.Lacking("fid", few));
    }

    [Fact]
    public void WhyNot_OfRunsThatCannotBeMeasured_SaysWhy()
    {
        using var settings = Settings([], 1);
        var all = PictureAnalyses.With(settings).ToDictionary(a => a.Name);
        Assert.Contains("no pictures", all["fid"].WhyNot(new PictureRun(12, new(4, 32, 32))), StringComparison.Ordinal);
        Assert.Contains("31 pixels", all["lpips"].WhyNot(new PictureRun(12, new(3, 16, 16))), StringComparison.Ordinal);
        Assert.Contains("1000 samples", all["kid"].WhyNot(new PictureRun(12, s_shape)), StringComparison.Ordinal);
        Assert.Contains("no prompts", all["clip-score"].WhyNot(new PictureRun(12, s_shape)), StringComparison.Ordinal);
        var prompted = new PictureRun(12, s_shape) { Prompts = ["a", "b"] };
        Assert.Contains("2 prompts for 12", all["clip-score"].WhyNot(prompted), StringComparison.Ordinal);
    }

    [Fact]
    public void Features_InAFile_AreReadAtAnyPlaceAndNotBeyond()
    {
        using var spooled = new SpooledFeatures(2);
        spooled.Add([1, 2, 3, 4]);
        spooled.Add([5, 6]);
        var read = new float[4];
        spooled.Read(1, read);

        Assert.Equal([3f, 4, 5, 6], read);
        Assert.Throws<ArgumentOutOfRangeException>(() => spooled.Read(2, read));
        Assert.Throws<ArgumentException>(() => spooled.Add([1]));
    }

    [Fact]
    public void Features_WrittenAndAdded_AreTheSameAndOthersAreRefused()
    {
        using SpooledFeatures first = new(2), second = new(2), other = new(3);
        first.Add([1, 2]);
        second.Add([3, 4, 5, 6]);
        var bytes = new MemoryStream();
        second.Write(new(bytes));

        first.Add(new BinaryReader(new MemoryStream(bytes.ToArray())));

        var read = new float[6];
        first.Read(0, read);
        Assert.Equal([1f, 2, 3, 4, 5, 6], read);
        Assert.Throws<InvalidDataException>(() => other.Add(new BinaryReader(new MemoryStream(bytes.ToArray()))));
        Assert.Throws<InvalidDataException>(() => first.Add(new BinaryReader(new MemoryStream(bytes.ToArray()[..^1]))));
        Assert.Equal(3, first.Rows);
    }

    [Fact]
    public void Networks_WantedAgain_AreLoadedOnceAsLongAsTheyStay()
    {
        List<string> log = [];
        using (var weights = new FeatureWeights(new Dictionary<FeatureNetwork, string>(), most: 2)
        {
            Substitute = network =>
            {
                log.Add($"load {network}");
                return new(new Freed(() => log.Add($"free {network}")), 8, _ => [], pictures => pictures);
            },
        })
        {
            foreach (var network in new[] { FeatureNetwork.Dino, FeatureNetwork.Clip, FeatureNetwork.Dino, FeatureNetwork.Vgg })
                weights.Embedder(network, CPU);
            weights.Embedder(FeatureNetwork.Dino, CPU);
        }

        Assert.Equal(["load Dino", "load Clip", "free Clip", "load Vgg", "free Vgg", "free Dino"], log);
    }

    sealed class Freed(Action free) : IDisposable
    {
        public void Dispose() => free();
    }

    static void WritePng(string path, byte[] bytes)
    {
        using var bitmap = new SKBitmap(new SKImageInfo(s_shape.Width, s_shape.Height, SKColorType.Rgba8888, SKAlphaType.Opaque));
        for (var i = 0; i < bytes.Length / 3; i++)
            bitmap.SetPixel(i % s_shape.Width, i / s_shape.Width, new(bytes[3 * i], bytes[(3 * i) + 1], bytes[(3 * i) + 2]));
        using var file = File.Create(path);
        bitmap.Encode(file, SKEncodedImageFormat.Png, 100);
    }

    static Dictionary<string, double> Measure(string name, PictureSettings settings, PictureRun run) =>
        Numbers(PictureAnalyses.With(settings).Single(a => a.Name == name).Measure(run, CancellationToken.None).Metrics);

    /// <summary>Pictures of one grey each.</summary>
    sealed class Colours(string identity, byte[] greys) : IPictures
    {
        public string Identity => identity;

        public long Count => greys.Length;

        public IReadOnlyList<Picture> Read(long first, int count) =>
            [.. greys.Skip((int)first).Take(count).Select(grey => new Picture([.. Enumerable.Repeat(grey, 3 * 36 * 36)], 36, 36))];
    }

    static Dictionary<string, double> Numbers(System.Text.Json.Nodes.JsonObject numbers) =>
        numbers.ToDictionary(number => number.Key, number => Convert.ToDouble(number.Value!.ToString()));

    static PictureSettings Settings(Dictionary<FeatureNetwork, string> paths, int batch) => new(new(paths), new(CPU, batch));

    static PictureSettings With(PictureSettings settings, PictureRun reference)
    {
        var images = reference.Tensor(TensorRole.Images)!;
        return new(settings.Weights, settings.Pass)
        {
            Reference = new TensorPictures("reference", images, images.Shape, rounded: false),
        };
    }
}

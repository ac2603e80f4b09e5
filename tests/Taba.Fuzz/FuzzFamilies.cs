using System.Text;
using SkiaSharp;
using Taba.Diffusion;
using Taba.Diffusion.Tensors;
using Taba.Diffusion.Weights;
using Taba.Grains;
using Taba.Grains.Sweeps;
using Taba.Silo.Inputs;
using Taba.Testing;
using Taba.Testing.Client;
using static TorchSharp.torch;

namespace Taba.Fuzz;

/// <summary>Everything that users give, and the commands that read it.</summary>
static class FuzzFamilies
{
    const string Sweep =
        """
        name: fuzz
        model: MODEL
        samples: 8
        seed: [420, 421]
        num_inference_steps: [10, 20]
        stages: [sample, invert, reconstruct]
        interventions:            # each adds an inversion
          - swap: { type: [eps, xt], before: [1, 3] }
          - forward: { before: [1, 2], seed: 999 }
        internal: { steps: every 2, tensors: [xt, eps] }
        batch_size: auto
        guidance_scale: 1.0
        on_error: stop-after 3
        metrics: [paper]
        """;

    public static IReadOnlyList<FuzzFamily> All(Corpus corpus) =>
    [
        Tensors(corpus, "pt-zip", ".pt", [
            File.ReadAllBytes(Fixtures.At("e2e/adm/sample_T25/pt/noise.pt")),
            corpus.Tensor(TensorFormat.Pt, ScalarType.Float32, 4, 3, 8, 8),
            corpus.Tensor(TensorFormat.Pt, ScalarType.Int64, 5),
            File.ReadAllBytes(Fixtures.At("models/ldm_tiny/vqvae/diffusion_pytorch_model.bin")),
        ]),
        Tensors(corpus, "pt-legacy", ".pt", [
            File.ReadAllBytes(Fixtures.At("models/adm/no_scale_shift_new_attn_tiny/model_legacy_fp16.pt")),
        ]),
        Tensors(corpus, "safetensors", ".safetensors", [
            corpus.Tensor(TensorFormat.Safetensors, ScalarType.Float16, 4, 3, 8, 8),
            File.ReadAllBytes(Fixtures.At("models/if_tiny/text_encoder/model-00004-of-00004.safetensors")),
        ]),
        Tensors(corpus, "npy", ".npy", [
            corpus.Tensor(TensorFormat.Npy, ScalarType.Float32, 4, 3, 8, 8), corpus.Tensor(TensorFormat.Npy, ScalarType.Int64, 5),
        ]),
        Prompts(corpus, "prompts-pickle", ".pkl", [.. Pickles.Lists], isText: false),
        Prompts(
            corpus, "prompts-json", ".json",
            Texts("""["a hobbit", "", "ü 数据 \ud83d\ude00"]""", """{"prompts": ["a", "b"]}"""), isText: true),
        Prompts(corpus, "prompts-text", ".txt", Texts("a hobbit\n\nü 数据 😀\nlast"), isText: true),
        new("sweep-yaml", Texts(Sweep.Replace("MODEL", corpus.Gaussian(), StringComparison.Ordinal)), IsText: true, (input, _) =>
            Command("plan", corpus.Write("sweep.yaml", input), "--out", corpus.At("out"))),
        new("overrides", Texts(
            "samples=16\nseed=[1,2]\ninternal.steps=every 2", "interventions=[{swap: {type: eps, before: [1,2]}}]\nnum_inference_steps=10",
            "forward_noise=per-sample\nguidance_scale=1.0"), IsText: true, (input, _) =>
            Command(["plan", GoodSweep(corpus), "--out", corpus.At("out"), .. Words(input).Where(w => !w.StartsWith('-'))])),
        new("command-line", Texts(
            "--n_samples\n4\nseed=3\n--with_inversion\n--num_inference_steps\n10", "--batch_size\nauto\n--on_error\nstop-after 3\n--json",
            "n_samples=4\n--noise\nper-sample\n--state_dtype\nfloat32"), IsText: true, (input, _) =>
            Command(["sample", "gaussian", "--model", corpus.Gaussian(), "--dry_run", .. Words(input)])),
        new("model-json", Texts(
            File.ReadAllText(TinyModels.Adm(corpus.At("adm", "model.json"))),
            File.ReadAllText(corpus.Gaussian())), IsText: true, (input, _) =>
            Command("models", "check", corpus.Write("m/model.json", input))),
        .. new[] { "ldm_tiny", "dit_tiny", "if_tiny" }.Select(name => Folder(corpus, name)),
        new("tokenizer", [File.ReadAllBytes(Fixtures.At("models/if_tiny/tokenizer/spiece.model"))], IsText: false, (input, _) =>
            In(corpus, "if_tiny", "tokenizer/spiece.model", input)),
        new("pictures", [Corpus.Picture(SKEncodedImageFormat.Png), Corpus.Picture(SKEncodedImageFormat.Jpeg)], IsText: false,
            (input, from) =>
            Picture(corpus.Write(from == 0 ? "p.png" : "p.jpg", input))),
        RunFolder(corpus),
        ClipFolder(corpus),
    ];

    /// <summary>Read as input, and as weights by the command that says what a file is.</summary>
    static FuzzFamily Tensors(Corpus corpus, string name, string extension, IReadOnlyList<byte[]> seeds) =>
        new(name, seeds, IsText: false, (input, _) =>
        {
            var path = corpus.Write($"x{extension}", input);
            Each(
                () => new TensorInputFiles().Describe(path),
                () =>
                {
                    using var weights = WeightsFile.Open(path);
                    foreach (var tensor in weights.Tensors)
                        weights.Load(tensor.Name, tensor.Dtype, CPU).Dispose();
                },
                () => Command("models", "describe", path));
        });

    /// <summary>Readers of one input, of which each may refuse it; it is refused when all do.</summary>
    static void Each(params Action[] readers)
    {
        Exception? refusal = null;
        var refusals = 0;
        foreach (var read in readers)
        {
            try
            {
                read();
            }
            catch (Exception refused) when (refused is BadInputException or WeightsFormatException)
            {
                refusal = refused;
                refusals++;
            }
        }
        if (refusals == readers.Length)
            throw refusal!;
    }

    static FuzzFamily Prompts(Corpus corpus, string name, string extension, IReadOnlyList<byte[]> seeds, bool isText) =>
        new(name, seeds, isText, (input, _) => new TensorInputFiles().DescribePrompts(
            new ConditionRequest { PromptsPath = corpus.Write($"prompts{extension}", input) }, 4));

    /// <summary>Every JSON file of a model's folder.</summary>
    static FuzzFamily Folder(Corpus corpus, string name)
    {
        var folder = corpus.Model(name);
        var files = Directory.EnumerateFiles(folder, "*.json", SearchOption.AllDirectories)
            .Select(f => Path.GetRelativePath(folder, f)).Where(f => Path.GetFileName(f) != "case.json").Order(StringComparer.Ordinal)
            .ToList();
        return new(
            $"folder-{name}", [.. files.Select(f => File.ReadAllBytes(Path.Combine(folder, f)))], IsText: true,
            (input, from) => In(corpus, name, files[from], input));
    }

    /// <summary>Checks a model in whose folder one file is another.</summary>
    static void In(Corpus corpus, string model, string file, byte[] input)
    {
        var folder = corpus.Model(model);
        var path = Path.Combine(folder, file);
        var whole = File.ReadAllBytes(path);
        File.WriteAllBytes(path, input);
        try
        {
            Command("models", "check", folder);
        }
        finally
        {
            File.WriteAllBytes(path, whole);
        }
    }

    static void Picture(string path)
    {
        new TensorInputFiles().DescribePictures(path, 16, 16);
        try
        {
            var pictures = ImageFolder.Open(path, 16, 16);
            pictures.ReadRows(0, 1, new byte[pictures.RowBytes]);
        }
        catch (InvalidDataException damaged)
        {
            // What a stage takes for a bad input of this sample.
            throw new BadInputException(damaged.Message, damaged);
        }
    }

    /// <summary>A folder of a network of features: sizes and tokenizer.</summary>
    static FuzzFamily ClipFolder(Corpus corpus)
    {
        var (clip, run) = (corpus.At("clip"), corpus.At("measured"));
        if (!Directory.Exists(clip))
        {
            FeatureCheckpoints.WriteClip(clip);
            Command("sample", "gaussian", "--model", corpus.Gaussian(), "n_samples=2", "num_inference_steps=10", "--save_dir", run);
        }
        string[] files = ["config.json", "vocab.json", "merges.txt"];
        var prompts = corpus.Write("captions.txt", "a hobbit\nü 数据 😀"u8.ToArray());
        return new("clip-folder", [.. files.Select(f => File.ReadAllBytes(Path.Combine(clip, f)))], IsText: true, (input, from) =>
        {
            var path = Path.Combine(clip, files[from]);
            var whole = File.ReadAllBytes(path);
            File.WriteAllBytes(path, input);
            try
            {
                Command(
                    "measure", run, "--metrics", "clip-score", "--features", $"clip={clip}", "--prompts", prompts, "--device", "cpu");
            }
            finally
            {
                File.WriteAllBytes(path, whole);
            }
        });
    }

    /// <summary>What other runs and other versions left, and reports read.</summary>
    static FuzzFamily RunFolder(Corpus corpus)
    {
        var run = corpus.At("runs", "a");
        if (!Directory.Exists(run))
        {
            Command(
                "sample", "gaussian", "--model", corpus.Gaussian(), "n_samples=2", "num_inference_steps=10", "--with_inversion",
                "--save_dir", run);
        }
        string[] files = ["manifest.json", "metrics.json"];
        return new("run-folder", [.. files.Select(f => File.ReadAllBytes(Path.Combine(run, f)))], IsText: true, (input, from) =>
        {
            var path = Path.Combine(run, files[from]);
            var whole = File.ReadAllBytes(path);
            File.WriteAllBytes(path, input);
            try
            {
                Each(() => Command("report", run), () => Command("merge", run, "--save_dir", corpus.At("merged")));
            }
            finally
            {
                File.WriteAllBytes(path, whole);
            }
        });
    }

    static string GoodSweep(Corpus corpus)
    {
        var path = corpus.At("good.yaml");
        if (!File.Exists(path))
            File.WriteAllText(path, $"model: {corpus.Gaussian()}\nsamples: 4\nnum_inference_steps: 10\n");
        return path;
    }

    static IEnumerable<string> Words(byte[] input) =>
        Encoding.UTF8.GetString(input).Split('\n').Where(w => w.Length > 0 && !w.Contains('\0', StringComparison.Ordinal));

    static byte[][] Texts(params string[] texts) => [.. texts.Select(Encoding.UTF8.GetBytes)];

    /// <summary>A command, which ends with 0, 1 or 2 whatever it reads.</summary>
    static void Command(params string[] args)
    {
        var result = InProcess.RunAsync(args).GetAwaiter().GetResult();
        switch (result.Status)
        {
            case 0 or 1:
                return;
            case 2:
                throw new BadInputException(result.Errors);
            default:
                throw new UnexpectedStatusException($"status {result.Status}: {result.Errors}");
        }
    }
}

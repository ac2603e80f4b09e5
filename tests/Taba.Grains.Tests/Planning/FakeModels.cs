using Taba.Grains.Planning;
using Taba.Grains.Sweeps;

namespace Taba.Grains.Tests.Planning;

/// <summary>Models by name, without files.</summary>
sealed class FakeModels : IModelCatalogue
{
    public ModelFacts Resolve(ModelSelection selection) => selection.NameOrPath switch
    {
        "demo" => Small("demo", null, selection.WeightsPath is { } weights ? $"digest-of-{weights}" : null),
        "other" => Small("other", null),
        "a/twin" => Small("twin", null, "aaaaaaaa11111111"),
        "b/twin" => Small("twin", null, "bbbbbbbb11111111"),
        "classes" => Small("classes", 10),
        "text" => Latent("text", ConditionKind.Text),
        "ldm" => Latent("ldm", ConditionKind.None),
        _ => throw new BadInputException($"There is no model {selection.NameOrPath}."),
    };

    static SmallFacts Small(string name, int? classes, string? digest = null) => new()
    {
        Identity = TestStages.Model with { Digest = digest ?? $"digest-of-{name}" },
        Slug = name,
        ClassCount = classes,
        Conditions = classes is null ? ConditionKind.None : ConditionKind.Classes,
        CanBeGuided = classes is not null,
        LabelsDigest = classes is null ? "" : "names",
    };

    /// <summary>A latent model whose pictures are four times as wide as its states.</summary>
    static SmallFacts Latent(string name, ConditionKind conditions) => new()
    {
        Identity = TestStages.Model with { Digest = $"digest-of-{name}", Family = name },
        Slug = name,
        Conditions = conditions,
        CanBeGuided = conditions != ConditionKind.None,
        SizeFollowsInputs = name == "ldm",
        Autoencoder = new(TestStages.Model with { Digest = $"autoencoder-of-{name}", Family = "autoencoder" }, new(3, 32, 32)),
    };

    /// <summary>1000 training steps, of which respacing gives every T that divides them; K of forward replacement below T.</summary>
    sealed class SmallFacts : ModelFacts
    {
        public override string? WhyNot(int numInferenceSteps) => numInferenceSteps > 0 && 1000 % numInferenceSteps == 0
            ? null
            : $"{Slug} cannot run {numInferenceSteps} inference steps: choose a divisor of 1000.";

        public override int MaxForwardBefore(int numInferenceSteps) => numInferenceSteps - 1;

        public override Precision Resolve(PrecisionRequest request) => new(Auto(request.Network), Auto(request.State), Auto(request.Noise));

        public override long ClassId(string label) =>
            long.TryParse(label, out var id) && id < ClassCount
            ? id
            : throw new BadInputException($"labels has '{label}': {Slug} has no such class.");

        public override ModelFacts WithSampleSize(int height, int width) => new SmallFacts
        {
            Identity = Identity with { Height = height, Width = width },
            Slug = Slug,
            Conditions = Conditions,
            Autoencoder = Autoencoder is { } autoencoder
                ? new(autoencoder.Model with { Height = height, Width = width }, new(3, 4 * height, 4 * width))
                : null,
        };

        static Dtype Auto(Dtype? precision) => precision is Dtype.Float64
            ? throw new BadInputException("There is no precision float64.")
            : precision ?? Dtype.Float32;
    }
}

/// <summary>Tensor files by path, without bytes.</summary>
sealed class FakeFiles : IInputFiles
{
    readonly Dictionary<string, InputTensor> _files = [];

    public FakeFiles With(string path, string dtype, params long[] shape)
    {
        _files[path] = new(path, shape, dtype, $"digest-of-{path}");
        return this;
    }

    /// <summary>Class ids, of which the first and the last are given.</summary>
    public FakeFiles WithClasses(string path, int rows, long least, long most)
    {
        _files[path] = new(path, [rows], "int64", $"digest-of-{path}") { Range = (least, 0, most, rows - 1) };
        return this;
    }

    public bool ArePictures(string path) => path.EndsWith(".png", StringComparison.Ordinal);

    public ImageRows DescribePictures(string path, int height, int width) => new(path, $"digest-of-{path}", 128, height, width);

    public PromptRows DescribePrompts(ConditionRequest request, int samples) => request.PromptsPath is { } path
        ? new(path, null, $"digest-of-{path}", 0, 1, 128, RowByRow: true)
        : new(
            request.Prompts ?? "dataset", request.DatasetPath, $"digest-of-{request.Prompts ?? "dataset"}", request.CondSeed,
            request.NoisesPerPrompt, samples, RowByRow: false);

    /// <summary>The digest is the file's name: the same file in another folder has the same.</summary>
    public (FeatureFile File, int Values) DescribeFeatures(string network, string path) =>
        (new(network, path, $"digest-of-{path[(path.LastIndexOf('/') + 1)..]}"), network == "inception" ? 3056 : 0);

    /// <summary>A folder with as many pictures as its name says, or statistics.</summary>
    public PictureSet DescribeReference(string path) => int.TryParse(path, out var count)
        ? new(new ImageRows(path, $"digest-of-{path}", count, 0, 0), path, $"digest-of-{path}", count, default)
        : new(null, path, $"digest-of-{path}", 0, default);

    public InputTensor Describe(string path) =>
        _files.TryGetValue(path, out var tensor) ? tensor : throw new BadInputException($"There is no file {path}.");
}

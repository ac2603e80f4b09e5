using Taba.Grains.Planning;
using Taba.Grains.Stages;
using Taba.Grains.Sweeps;

namespace Taba.Grains.Tests.Planning;

/// <summary>Models by name, without files.</summary>
sealed class FakeModels : IModelCatalogue
{
    public ModelFacts Resolve(ModelSelection selection) => selection.NameOrPath switch
    {
        "demo" => Small("demo", null),
        "other" => Small("other", null),
        "classes" => Small("classes", 10),
        _ => throw new BadInputException($"There is no model {selection.NameOrPath}."),
    };

    static SmallFacts Small(string name, int? classes) => new()
    {
        Identity = TestStages.Model with { Digest = $"digest-of-{name}" },
        Slug = name,
        ClassCount = classes,
    };

    /// <summary>1000 training steps, of which respacing gives every T that divides them; K of forward replacement below T.</summary>
    sealed class SmallFacts : ModelFacts
    {
        public override string? WhyNot(int numInferenceSteps) => numInferenceSteps > 0 && 1000 % numInferenceSteps == 0
            ? null
            : $"{Slug} cannot run {numInferenceSteps} inference steps: choose a divisor of 1000.";

        public override int MaxForwardBefore(int numInferenceSteps) => numInferenceSteps - 1;

        public override Precision Resolve(PrecisionRequest request) => new(Auto(request.Network), Auto(request.State), Auto(request.Noise));

        static string Auto(string precision) => precision switch
        {
            "auto" => "float32",
            "float32" or "float16" or "bfloat16" => precision,
            _ => throw new BadInputException($"There is no precision {precision}."),
        };
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

    public InputTensor Describe(string path) =>
        _files.TryGetValue(path, out var tensor) ? tensor : throw new BadInputException($"There is no file {path}.");
}

using System.Text.Json;
using Taba.Diffusion.Models.Dit;
using Taba.Diffusion.Weights;
using Taba.Testing;
using static TorchSharp.torch;

namespace Taba.Parity.Tests;

/// <summary>The diffusion transformer against the reference's output, activations and table of positions.</summary>
public sealed class DitModelTests
{
    public static TheoryData<string> Cases =>
        [.. Fixtures.Cases("models", "case.json").Where(name => name.StartsWith("models/dit", StringComparison.Ordinal))];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Forward_ReferenceWeightsAndInputs_ReferenceOutputAndActivations(string name)
    {
        var folder = ModelFolder.Open(Fixtures.At(name));
        using var weights = folder.OpenWeights("transformer");
        using var network = DitTransformer.Load(DitConfig.Parse(folder.Config("transformer"), folder.ConfigPath("transformer")), weights, CPU, ScalarType.Float32);
        using var inputs = WeightsFile.Open(Fixtures.At($"{name}/inputs.safetensors"));
        var comparison = new ActivationComparison(name);
        using var inference = inference_mode();
        using var scope = NewDisposeScope();

        var output = network.Forward(
            inputs.Load("x", ScalarType.Float32, CPU), inputs.Load("timesteps", ScalarType.Float32, CPU), inputs.Load("class_labels", ScalarType.Int64, CPU),
            comparison.Observe);

        comparison.Require("transformer_out", output);
        comparison.RequireAllActivations();
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void PositionTable_OfTheCase_IsTheReferences(string name)
    {
        var folder = ModelFolder.Open(Fixtures.At(name));
        var inputs = ReferenceTensors.Load($"{name}/inputs.safetensors");
        if (!inputs.Has("pos_embed"))
            return;
        using var scope = NewDisposeScope();
        var table = PositionTable.Make(DitConfig.Parse(folder.Config("transformer"), name), CPU);
        TensorAssert.Close(table.data<float>().ToArray(), inputs.Values<float>("pos_embed"), 1e-6, 0, $"{name} pos_embed");
    }
}

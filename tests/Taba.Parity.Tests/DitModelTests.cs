using Taba.Diffusion.Models.Dit;
using Taba.Diffusion.Weights;
using Taba.Testing;
using static TorchSharp.torch;

namespace Taba.Parity.Tests;

/// <summary>Small diffusion transformers against the reference implementation, layer by layer.</summary>
public sealed class DitModelTests
{
    public static TheoryData<string> Cases => ReferenceSet.Models("DiTPipeline", "transformer");

    public static TheoryData<string, NetworkForm> CasesInBothForms => ReferenceSet.InBothForms(Cases);

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(CasesInBothForms))]
    public void Forward_Transformer_ReferenceActivationsAndOutput(string name, NetworkForm form)
    {
        var inputs = ReferenceTensors.Load($"{name}/inputs.safetensors");
        var comparison = new ModelComparison(name);
        var folder = ModelFolder.Open(ReferenceSet.At(name));
        var config = DitConfig.Parse(folder.Config("transformer"), folder.ConfigPath("transformer"));
        using var weights = folder.OpenWeights("transformer");
        using var transformer = DitTransformer.Load(config, weights, CPU, ScalarType.Float32, form);

        using var inference = inference_mode();
        using var scope = NewDisposeScope();
        var timesteps = tensor(inputs.Values<long>("timesteps").ToArray()).to(ScalarType.Float32);
        var labels = tensor(inputs.Values<long>("class_labels").ToArray());
        var output = transformer.Forward(
            inputs.Float32("x"), timesteps, labels, (layer, value) => comparison.Observe($"act.{layer}", value));

        comparison.Require("transformer_out", output);
        comparison.RequireAllSeen("act.");
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Cases))]
    public void PositionTable_SizeOfTheCase_ReferenceTable(string name)
    {
        var inputs = ReferenceTensors.Load($"{name}/inputs.safetensors");
        var folder = ModelFolder.Open(ReferenceSet.At(name));
        var config = DitConfig.Parse(folder.Config("transformer"), folder.ConfigPath("transformer"));

        using var table = PositionTable.Of(config.Side, config.Width);

        Assert.Equal(inputs.Shape("pos_embed"), table.shape);
        TensorAssert.Close(table.data<float>().ToArray(), inputs.Values<float>("pos_embed"), 1e-7, 0, name);
    }
}

using System.Text.Json;
using Taba.Diffusion.Models.Adm;
using Taba.Diffusion.Weights;
using Taba.Testing;
using static TorchSharp.torch;

namespace Taba.Parity.Tests;

/// <summary>One forward pass of each small ADM network against the reference implementation's output.</summary>
public sealed class AdmModelTests
{
    public static TheoryData<string, NetworkForm> Cases => ReferenceSet.InBothForms(ReferenceSet.Cases("models/adm", "case.json"));

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Cases))]
    public void Forward_ReferenceWeightsAndInputs_ReferenceOutput(string name, NetworkForm form)
    {
        var folder = ReferenceSet.At(name);
        using var document = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "case.json")));
        var root = document.RootElement;
        var config = AdmConfig.Parse(root.GetProperty("args"), name);
        using var weights = WeightsFile.Open(Path.Combine(folder, root.GetProperty("weights")[0].GetString()!));
        using var inputs = WeightsFile.Open(Path.Combine(folder, "inputs.safetensors"));
        using var outputs = WeightsFile.Open(Path.Combine(folder, "outputs.safetensors"));
        using var network = AdmUnet.Load(config, weights, CPU, ScalarType.Float32, form: form);

        using var inference = inference_mode();
        using var scope = NewDisposeScope();
        var x = inputs.Load("x", ScalarType.Float32, CPU);
        var timesteps = inputs.Load("timesteps", ScalarType.Float32, CPU);
        var classes = config.ClassCond ? inputs.Load("y", ScalarType.Int64, CPU) : null;
        var expected = outputs.Load("out", ScalarType.Float32, CPU);
        var actual = network.Forward(x, timesteps, classes);
        var eps = network.PredictEps(x, timesteps, classes);

        var tolerance = root.GetProperty("tolerance");
        TensorAssert.Close(
            actual.data<float>().ToArray(),
            expected.data<float>().ToArray(),
            tolerance.GetProperty("atol").GetDouble(),
            tolerance.GetProperty("rtol").GetDouble(),
            $"{name}/out");
        Assert.Equal(x.shape, eps.shape);
        Assert.True(eps.equal(actual.narrow(1, 0, x.shape[1])).all().item<bool>());
    }
}

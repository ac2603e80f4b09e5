using Microsoft.Extensions.Options;
using Taba.Silo.Devices;
using Taba.Silo.Engines;
using Taba.Silo.Models;
using Taba.Testing;
using static TorchSharp.torch;

namespace Taba.Silo.Tests.Engines;

/// <summary>Shares of a processor use one network, also at the same time.</summary>
public sealed class NetworksTests
{
    static readonly StageSpec s_spec = new()
    {
        Kind = StageKind.Sample,
        Model = new("digest", "adm", ShippedDemo, null, 3, 32, 32),
        NumInferenceSteps = 10,
        Precision = new(Dtype.Float32, Dtype.Float32, Dtype.Float32),
        Input = new NoiseRows(NoiseLayout.Upstream, 1, Dtype.Float32, 1),
    };

    static string ShippedDemo => ModelPaths.Of("demo");

    [Fact]
    public void Load_ForTwoShares_ReadsTheWeightsOnceAndForgetsThemWithTheLast()
    {
        using var folder = new TempFolder();
        var weights = folder.At("weights.safetensors");
        File.Copy(Path.Combine(Path.GetDirectoryName(ShippedDemo)!, "demo.safetensors"), weights);
        var spec = s_spec with { Model = s_spec.Model with { WeightsPath = weights } };
        var (networks, definition) = (new Networks(Options.Create(new EngineSettings())), ModelDefinitions.Of(spec.Model));
        var shares = SiloDevices.Resolve("cpu", 2, gpus: 0, cores: 2);

        var first = networks.Load(definition, spec, shares[0]);
        File.Delete(weights);
        var second = networks.Load(definition, spec, shares[1]);
        first.Dispose();
        first.Dispose();
        networks.Load(definition, spec, shares[0]).Dispose();

        second.Dispose();
        Assert.ThrowsAny<Exception>(() => networks.Load(definition, spec, shares[0]));
    }

    [Fact]
    public async Task PredictEps_FromTwoThreadsAtOnce_GivesTheNumbersOfOne()
    {
        var (networks, definition) = (new Networks(Options.Create(new EngineSettings())), ModelDefinitions.Of(s_spec.Model));
        using var network = networks.Load(definition, s_spec, SiloDevices.Resolve("cpu", 2, gpus: 0, cores: 2)[0]);
        byte[] Predict(float value)
        {
            using var inference = inference_mode();
            using var scope = NewDisposeScope();
            var states = tensor(Enumerable.Repeat(value, 4 * 3 * 32 * 32).ToArray(), [4, 3, 32, 32]);
            return network.PredictEps(states, tensor(new[] { 100f, 300f, 500f, 900f }), null).contiguous().bytes.ToArray();
        }
        var (expected, other) = (Predict(0.5f), Predict(-0.25f));
        var results = await Task.WhenAll(Enumerable.Range(0, 16).Select(i => Task.Run(() => Predict(i % 2 == 0 ? 0.5f : -0.25f))));
        for (var i = 0; i < results.Length; i++)
            Assert.Equal(i % 2 == 0 ? expected : other, results[i]);
    }

    [Fact]
    public void Load_ThatFails_IsTriedAgainByTheNext()
    {
        var networks = new Networks(Options.Create(new EngineSettings()));
        var share = SiloDevices.Resolve("cpu", 2, gpus: 0, cores: 2)[0];
        var missing = s_spec with { Model = s_spec.Model with { WeightsPath = "/nowhere/weights.pt" } };
        var definition = ModelDefinitions.Of(s_spec.Model);
        for (var attempt = 0; attempt < 2; attempt++)
            Assert.ThrowsAny<Exception>(() => networks.Load(definition, missing, share));
        using var network = networks.Load(definition, s_spec, share);
        Assert.Equal(new(3, 32, 32), network.Shape);
    }
}

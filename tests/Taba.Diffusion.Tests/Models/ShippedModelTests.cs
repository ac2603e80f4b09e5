using Taba.Diffusion.Models;
using Taba.Diffusion.Models.Families;
using Taba.Diffusion.Native;
using Taba.Diffusion.Schedules;
using Taba.Diffusion.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace Taba.Diffusion.Tests.Models;

/// <summary>The model files in the tree.</summary>
public sealed class ShippedModelTests
{
    static readonly string s_root = FindModels();

    public static TheoryData<string> Descriptions =>
        [.. Directory.EnumerateDirectories(s_root).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Descriptions))]
    public void Read_ShippedDescription_Valid(string name)
    {
        var folder = Path.Combine(s_root, name);
        ModelDefinition model = ModelFolder.IsModelFolder(folder)
            ? DiffusersModel.Read(folder)
            : ModelFile.Read(Path.Combine(folder, "model.json"));

        Assert.Equal(name, model.Name);
        Assert.Equal(100, model.CreateSchedule(100).NumInferenceSteps);
    }

    [Fact]
    public void PredictEps_DemoOnPlainPictures_FindsTheNoise()
    {
        var model = ModelFile.Read(Path.Combine(s_root, "demo", "model.json"));
        using var network = model.Load(null, CPU, ScalarType.Float32);
        using var inference = inference_mode();
        using var scope = NewDisposeScope();
        using var generator = new Generator(7);
        var step = model.CreateSchedule(10).Step(Direction.Sampling, 5);

        // Four grounds without any shape: what remains of the noise is what the network got wrong.
        var x0 = linspace(-0.8, 0.8, 4).view(4, 1, 1, 1).expand(network.Shape.Batch(4));
        var noise = randn(network.Shape.Batch(4), generator: generator);
        using var signal = Math.Sqrt(step.AlphaBar).ToScalar();
        using var spread = Math.Sqrt(1 - step.AlphaBar).ToScalar();
        var xt = x0.mul(signal).add(noise.mul(spread), Scalars.One);
        var eps = network.PredictEps(xt, tensor([.. Enumerable.Repeat(step.Timestep, 4)]), null);

        Assert.InRange((eps - noise).pow(Scalars.Two).mean().item<float>(), 0, 0.05);
    }

    static string FindModels()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var models = Path.Combine(folder.FullName, "src", "Taba.Silo", "ShippedModels");
            if (Directory.Exists(models))
                return models;
        }

        throw new DirectoryNotFoundException($"No src/Taba.Silo/ShippedModels above {AppContext.BaseDirectory}.");
    }
}

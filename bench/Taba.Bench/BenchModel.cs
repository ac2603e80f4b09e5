using Taba.Diffusion.Models;
using Taba.Diffusion.Weights;
using Taba.Grains.Sweeps;
using Taba.Silo.Devices;
using Taba.Silo.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Taba.Bench;

/// <summary>The model that is measured, as a sweep and a bare loop both use it.</summary>
sealed record BenchModel(ModelSelection Selection, ModelDefinition Definition, string? WeightsPath, SiloDevices Devices)
{
    const int Seed = 1;

    /// <summary>Finds a model, drawing its weights when asked.</summary>
    public static BenchModel Prepare(string name, bool randomWeights, string device)
    {
        var devices = SiloDevices.Resolve(device);
        if (devices.Count > 1)
            throw new ArgumentException($"{device} is {devices}: a bare loop has one, so name one.", nameof(device));
        var selection = new ModelSelection(name);
        var definition = ModelCatalogue.Define(selection);
        if (!randomWeights)
            return new(selection, definition, definition.NeedsWeights ? ModelCatalogue.FindWeights(selection, definition) : null, devices);
        var path = Path.Combine(Path.GetTempPath(), $"taba-bench-{definition.Name}.safetensors");
        DrawWeights(definition, path);
        return new(selection with { WeightsPath = path }, definition, path, devices);
    }

    /// <summary>Writes drawn weights of a model, float32.</summary>
    public static void DrawWeights(ModelDefinition definition, string path)
    {
        using var generator = new Generator(Seed);
        var shapes = definition.Parameters.ToDictionary();
        SafetensorsArchive.Write(
            path, ScalarType.Float32, definition.Parameters, parameter => Draw(parameter, shapes[parameter], generator));
    }

    /// <summary>A parameter as a trained network's could be: normal of variance 1/fan-in, normalisations at one, biases zero.</summary>
    public static Tensor Draw(string name, long[] shape, Generator generator)
    {
        if (shape.Length == 1)
            return name.EndsWith(".weight", StringComparison.Ordinal) ? ones(shape) : zeros(shape);
        using var root = Math.Sqrt(shape.Skip(1).Aggregate(1L, (a, b) => a * b)).ToScalar();
        return randn(shape, generator: generator).div_(root);
    }

    public IDenoiser Build() => Definition.Load(WeightsPath, Devices[0].Device, ScalarType.Float32);
}

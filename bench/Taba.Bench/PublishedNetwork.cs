using System.Text.Json;
using Taba.Diffusion.Models.Adm;
using Taba.Diffusion.Models.DeepFloydIf;
using Taba.Diffusion.Models.Dit;
using Taba.Diffusion.Models.Ldm;
using Taba.Diffusion.Models.TextEncoders;
using Taba.Diffusion.Weights;
using Taba.Silo.Models;
using static TorchSharp.torch;

namespace Taba.Bench;

/// <summary>A network of one family in its published size, as the bench needs it.</summary>
/// <param name="Name">For the table.</param>
/// <param name="Parameters">Names and shapes.</param>
/// <param name="DtypeOf">The type that a parameter is held in, when the network computes in another.</param>
/// <param name="Load">Builds the network from weights.</param>
/// <param name="Forward">One evaluation on one sample; to be called in a scope.</param>
sealed record PublishedNetwork(
    string Name,
    IReadOnlyList<KeyValuePair<string, long[]>> Parameters,
    Func<string, ScalarType, ScalarType> DtypeOf,
    Func<IWeightSource, ScalarType, IDisposable> Load,
    Action<IDisposable> Forward)
{
    /// <summary>Tokens of a prompt, as upstream pads it.</summary>
    const int Tokens = 77;

    /// <param name="model">A guided-diffusion model's name, or the config.json of a component.</param>
    public static PublishedNetwork Of(string model)
    {
        if (!model.EndsWith(".json", StringComparison.Ordinal))
            return Adm((AdmDefinition)ModelCatalogue.Define(new(model)));
        using var document = JsonDocument.Parse(File.ReadAllBytes(model));
        var config = document.RootElement.Clone();
        var name = Path.GetFileName(Path.GetDirectoryName(Path.GetFullPath(model)))!;
        return config.TryGetProperty("_class_name", out var className)
            ? className.GetString() switch
            {
                "UNet2DModel" => Ldm(name, UNet2DConfig.Parse(config, model), State(config)),
                "Transformer2DModel" or "DiTTransformer2DModel" => Dit(name, DitConfig.Parse(config, model), State(config)),
                "UNet2DConditionModel" =>
                    If(name, UNet2DConditionConfig.Parse(config, model), State(config), config.GetProperty("encoder_hid_dim").GetInt64()),
                var other => throw new ArgumentException($"No network is called {other}.", nameof(model)),
            }
            : T5(name, T5Config.Parse(config, model));
    }

    public long Count => Parameters.Sum(p => p.Value.Aggregate(1L, (a, b) => a * b));

    public long Bytes(ScalarType dtype) =>
        Parameters.Sum(p => p.Value.Aggregate(1L, (a, b) => a * b) * ElementTypes.Size(DtypeOf(p.Key, dtype)));

    static PublishedNetwork Adm(AdmDefinition definition) => new(
        definition.Name,
        definition.Parameters,
        (name, dtype) => AdmParameters.IsTorso(name) ? dtype : ScalarType.Float32,
        (weights, dtype) => AdmUnet.Load(definition.Config, weights, CPU, dtype),
        network => ((AdmUnet)network).Forward(randn(definition.Shape.Batch(1)), Timestep(), null));

    static PublishedNetwork Ldm(string name, UNet2DConfig config, long[] state) => new(
        name, UNet2DModel.Parameters(config), Same,
        (weights, dtype) => UNet2DModel.Load(config, weights, CPU, dtype),
        network => ((UNet2DModel)network).Forward(randn(state), Timestep()));

    static PublishedNetwork Dit(string name, DitConfig config, long[] state) => new(
        name, DitTransformer.Parameters(config), Same,
        (weights, dtype) => DitTransformer.Load(config, weights, CPU, dtype),
        network => ((DitTransformer)network).Forward(randn(state), Timestep(), tensor([207L])));

    static PublishedNetwork If(string name, UNet2DConditionConfig config, long[] state, long textWidth) => new(
        name, UNet2DConditionModel.Parameters(config), Same,
        (weights, dtype) => UNet2DConditionModel.Load(config, weights, CPU, dtype),
        network => ((UNet2DConditionModel)network).Forward(randn(state), Timestep(), randn(1, Tokens, textWidth)));

    static PublishedNetwork T5(string name, T5Config config) => new(
        name, T5Encoder.Parameters(config), T5Encoder.DtypeOf,
        (weights, dtype) => T5Encoder.Load(config, weights, CPU, dtype),
        network => ((T5Encoder)network).Forward(randint(1, config.VocabSize, [1, Tokens], dtype: ScalarType.Int64)));

    static ScalarType Same(string name, ScalarType dtype) => dtype;

    static Tensor Timestep() => tensor([500f]);

    static long[] State(JsonElement config)
    {
        var side = config.GetProperty("sample_size").GetInt64();
        return [1, config.GetProperty("in_channels").GetInt64(), side, side];
    }
}

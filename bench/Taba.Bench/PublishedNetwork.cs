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
/// <param name="Inputs">What an evaluation of so many samples takes: states, timesteps and what else there is.</param>
/// <param name="Forward">One evaluation; to be called in a scope.</param>
sealed record PublishedNetwork(
    string Name,
    IReadOnlyList<KeyValuePair<string, long[]>> Parameters,
    Func<string, ScalarType, ScalarType> DtypeOf,
    Func<IWeightSource, ScalarType, NetworkForm, IDisposable> Load,
    Func<long, Tensor[]> Inputs,
    Func<IDisposable, Tensor[], Tensor> Forward)
{
    /// <summary>Tokens of a prompt, as upstream pads it.</summary>
    const int Tokens = 77;

    /// <param name="model">A guided-diffusion model's name or model.json, or the config.json of a component.</param>
    /// <exception cref="BadInputException">There is none, or the bench knows no such network.</exception>
    public static PublishedNetwork Of(string model)
    {
        if (!model.EndsWith(".json", StringComparison.Ordinal))
            return Adm(model);
        if (!File.Exists(model))
            throw new BadInputException($"There is no file {model}.");
        using var document = JsonDocument.Parse(File.ReadAllBytes(model));
        var config = document.RootElement.Clone();
        if (config.TryGetProperty("family", out _))
            return Adm(model);
        var name = Path.GetFileName(Path.GetDirectoryName(Path.GetFullPath(model)))!;
        return config.TryGetProperty("_class_name", out var className)
            ? className.GetString() switch
            {
                "UNet2DModel" => Ldm(name, UNet2DConfig.Parse(config, model), State(config)),
                "Transformer2DModel" or "DiTTransformer2DModel" => Dit(name, DitConfig.Parse(config, model), State(config)),
                "UNet2DConditionModel" =>
                    If(name, UNet2DConditionConfig.Parse(config, model), State(config), config.GetProperty("encoder_hid_dim").GetInt64()),
                var other => throw new BadInputException($"{model} describes a {other}, which the bench does not know."),
            }
            : T5(name, T5Config.Parse(config, model));
    }

    public long Count => Parameters.Sum(p => p.Value.Aggregate(1L, (a, b) => a * b));

    public long Bytes(ScalarType dtype) =>
        Parameters.Sum(p => p.Value.Aggregate(1L, (a, b) => a * b) * ElementTypes.Size(DtypeOf(p.Key, dtype)));

    static PublishedNetwork Adm(string model) => ModelCatalogue.Define(new(model)) is AdmDefinition definition
        ? new(
            definition.Name,
            definition.Parameters,
            (name, dtype) => AdmParameters.IsTorso(name) ? dtype : ScalarType.Float32,
            (weights, dtype, form) => AdmUnet.Load(definition.Config, weights, CPU, dtype, definition.Shape, form),
            batch => definition.ClassCount is null
                ? [randn(definition.Shape.Batch((int)batch)), Timesteps(batch)]
                : [randn(definition.Shape.Batch((int)batch)), Timesteps(batch), Classes(batch)],
            (network, inputs) => ((AdmUnet)network).Forward(inputs[0], inputs[1], inputs.ElementAtOrDefault(2)))
        : throw new BadInputException($"Model {model} is no guided-diffusion UNet: name the config.json of its network.");

    static PublishedNetwork Ldm(string name, UNet2DConfig config, long[] state) => new(
        name, UNet2DModel.Parameters(config), Same,
        (weights, dtype, form) => UNet2DModel.Load(config, weights, CPU, dtype, form),
        batch => [randn([batch, .. state]), Timesteps(batch)],
        (network, inputs) => ((UNet2DModel)network).Forward(inputs[0], inputs[1]));

    static PublishedNetwork Dit(string name, DitConfig config, long[] state) => new(
        name, DitTransformer.Parameters(config), Same,
        (weights, dtype, form) => DitTransformer.Load(config, weights, CPU, dtype, form),
        batch => [randn([batch, .. state]), Timesteps(batch), Classes(batch)],
        (network, inputs) => ((DitTransformer)network).Forward(inputs[0], inputs[1], inputs[2]));

    static PublishedNetwork If(string name, UNet2DConditionConfig config, long[] state, long textWidth) => new(
        name, UNet2DConditionModel.Parameters(config), Same,
        (weights, dtype, form) => UNet2DConditionModel.Load(config, weights, CPU, dtype, form),
        batch => [randn([batch, .. state]), Timesteps(batch), randn(batch, Tokens, textWidth)],
        (network, inputs) => ((UNet2DConditionModel)network).Forward(inputs[0], inputs[1], inputs[2]));

    /// <remarks>It has one form.</remarks>
    static PublishedNetwork T5(string name, T5Config config) => new(
        name, T5Encoder.Parameters(config), T5Encoder.DtypeOf,
        (weights, dtype, _) => T5Encoder.Load(config, weights, CPU, dtype),
        batch => [randint(1, config.VocabSize, [batch, Tokens], dtype: ScalarType.Int64)],
        (network, inputs) => ((T5Encoder)network).Forward(inputs[0]));

    static ScalarType Same(string name, ScalarType dtype) => dtype;

    static Tensor Timesteps(long batch) => tensor([.. Enumerable.Repeat(500f, (int)batch)]);

    static Tensor Classes(long batch) => zeros([batch], ScalarType.Int64);

    /// <summary>Channels, height and width.</summary>
    static long[] State(JsonElement config)
    {
        var side = config.GetProperty("sample_size").GetInt64();
        return [config.GetProperty("in_channels").GetInt64(), side, side];
    }
}

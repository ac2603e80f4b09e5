using Taba.Diffusion.Models.Layers;
using Taba.Diffusion.Native;
using Taba.Diffusion.Weights;
using static TorchSharp.torch;

namespace Taba.Diffusion.Models.Dit;

/// <summary>
/// A class-conditional diffusion transformer (DiT with adaLN-Zero, Peebles and Xie 2023) over the patches of a latent. For
/// inference; owns its parameters.
/// </summary>
public sealed class DitTransformer : IDisposable
{
    const string PatchProjection = "pos_embed.proj";
    const string OutModulation = "proj_out_1";
    const string OutProjection = "proj_out_2";
    const double OutEps = 1e-6;

    readonly DitConfig _config;
    readonly ParameterSet _parameters;
    readonly ScalarType _dtype;
    readonly TimestepSinusoids _sinusoids;
    readonly Tensor _positions;
    readonly Convolution _patches;
    readonly DitBlock[] _blocks;
    readonly Linear _outModulation;
    readonly Linear _outProjection;

    /// <param name="config">The architecture.</param>
    /// <param name="parameters">Exactly those of <see cref="Parameters"/>, all of one type on one device; the network owns them.</param>
    /// <param name="form">How it is computed.</param>
    public DitTransformer(DitConfig config, IReadOnlyDictionary<string, Tensor> parameters, NetworkForm form = NetworkForm.Plain)
    {
        ArgumentNullException.ThrowIfNull(config);
        var set = new ParameterSet(parameters, form);
        _config = config;
        _parameters = set;
        _dtype = set[$"{PatchProjection}.weight"].dtype;
        _patches = set.Conv(PatchProjection, stride: config.PatchSize, padding: 0);
        _blocks = [.. Enumerable.Range(0, config.NumLayers).Select(i => new DitBlock(config, set, BlockName(i)))];
        _outModulation = set.Linear(OutModulation);
        _outProjection = set.Linear(OutProjection);
        _sinusoids = new TimestepSinusoids(ClassTimeEmbedding.SinusoidWidth, set.Device, shift: 1);
        using var scope = NewDisposeScope();
        _positions = PositionTable.Of(config.Side, config.Width).to(set.Device).DetachFromDisposeScope();
    }

    /// <summary>The network's device.</summary>
    public Device Device => _parameters.Device;

    /// <summary>Every parameter's name and shape, in the order of the state dict.</summary>
    public static IReadOnlyList<KeyValuePair<string, long[]>> Parameters(DitConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        var list = new ParameterList();
        list.Conv(PatchProjection, config.InChannels, config.Width, config.PatchSize);
        for (var i = 0; i < config.NumLayers; i++)
            DitBlock.Declare(list, config, BlockName(i));
        list.Linear(OutModulation, config.Width, 2 * config.Width);
        list.Linear(OutProjection, config.Width, (long)config.PatchSize * config.PatchSize * config.OutChannels);
        return list.Items;
    }

    /// <summary>Builds the network from a checkpoint.</summary>
    /// <param name="config">The architecture.</param>
    /// <param name="weights">
    /// The checkpoint; must hold exactly the architecture's parameters, but may store the table of positions too.
    /// </param>
    /// <param name="device">Where the network lives.</param>
    /// <param name="dtype">float32, float16 or bfloat16; means and variances are float32 in all of them.</param>
    /// <param name="form">How it is computed.</param>
    /// <exception cref="WeightsMismatchException">The checkpoint is of another architecture.</exception>
    public static DitTransformer Load(
        DitConfig config, IWeightSource weights, Device device, ScalarType dtype, NetworkForm form = NetworkForm.Fast)
    {
        ArgumentNullException.ThrowIfNull(weights);
        return ParameterSet.Load(
            new DitWeightNames(weights), Parameters(config), device, dtype, loaded => new DitTransformer(config, loaded, form));
    }

    /// <summary>Evaluates the network. Rows are independent of each other.</summary>
    /// <param name="x">[B,in_channels,sample_size,sample_size], float32.</param>
    /// <param name="timesteps">[B], float32.</param>
    /// <param name="classLabels">[B], int64, from 0 to the number of classes, which is the null class.</param>
    /// <returns>[B,out_channels,H,W], float32: eps and, where it is learned, the variance's channels after it.</returns>
    /// <exception cref="ArgumentException">A shape does not fit.</exception>
    public Tensor Forward(Tensor x, Tensor timesteps, Tensor classLabels) => Forward(x, timesteps, classLabels, null);

    /// <summary>As the public one; <paramref name="observe"/> sees outputs by the names of the layers, and must not keep them.</summary>
    internal Tensor Forward(Tensor x, Tensor timesteps, Tensor classLabels, Action<string, Tensor>? observe)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(timesteps);
        ArgumentNullException.ThrowIfNull(classLabels);
        RequireShapes(x.shape, timesteps.shape, classLabels.shape);

        using var scope = NewDisposeScope();
        var angles = _sinusoids.Of(timesteps).to(_dtype);
        var h = _patches.Forward(x.to(_dtype)).Then(SpatialAttention.Tokens).add(_positions, Scalars.One).to(_dtype);
        observe?.Invoke("pos_embed", h);
        foreach (var block in _blocks)
        {
            using var emb = Embed(block, angles, classLabels, observe);
            block.Apply(h, emb);
            observe?.Invoke(block.Name, h);
        }

        // The last layer has no embedders of its own.
        var parts = _outModulation.Forward(Embed(_blocks[0], angles, classLabels, null)).unsqueeze(1).chunk(2, -1);
        h = DitBlock.Modulated(h, OutEps, parts[0], parts[1], _parameters.IsFast).Then(_outProjection.Forward);
        return Pixels(h).to(ScalarType.Float32).contiguous().MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        _positions.Dispose();
        _sinusoids.Dispose();
        _parameters.Dispose();
    }

    static string BlockName(int i) => $"transformer_blocks.{i}";

    static Tensor Embed(DitBlock block, Tensor angles, Tensor labels, Action<string, Tensor>? observe)
    {
        var emb = block.Embedding.Forward(angles, labels);
        observe?.Invoke($"{block.Name}.norm1.emb", emb);
        return emb.Then(Activation.Silu);
    }

    /// <summary>[B,tokens,p·p·C] to [B,C,H,W]: a token holds its patch row by row, the channels innermost.</summary>
    Tensor Pixels(Tensor tokens)
    {
        using var scope = NewDisposeScope();
        var (side, patch, channels) = (_config.Side, _config.PatchSize, _config.OutChannels);
        return tokens.reshape(-1, side, side, patch, patch, channels).permute(0, 5, 1, 3, 2, 4)
            .reshape(-1, channels, _config.SampleSize, _config.SampleSize).MoveToOuterDisposeScope();
    }

    void RequireShapes(long[] x, long[] timesteps, long[] labels)
    {
        if (x.Length != 4 || x[1] != _config.InChannels || x[2] != _config.SampleSize || x[3] != _config.SampleSize)
            throw Misshaped($"states [B,{_config.InChannels},{_config.SampleSize},{_config.SampleSize}]", x, nameof(x));
        if (timesteps.Length != 1 || timesteps[0] != x[0])
            throw Misshaped($"one timestep a row, [{x[0]}]", timesteps, nameof(timesteps));
        if (labels.Length != 1 || labels[0] != x[0])
            throw Misshaped($"one class a row, [{x[0]}]", labels, "classLabels");

        static ArgumentException Misshaped(string expected, long[] found, string parameter) =>
            new($"The network takes {expected}, not [{string.Join(",", found)}].", parameter);
    }
}

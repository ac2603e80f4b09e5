using Taba.Diffusion.Models.Layers;
using Taba.Diffusion.Weights;
using static TorchSharp.torch;

namespace Taba.Diffusion.Models.Dit;

/// <summary>
/// A class-conditional diffusion transformer (Peebles and Xie 2023, "Scalable Diffusion Models with Transformers"), as diffusers'
/// DiTTransformer2DModel. For inference; owns its parameters.
/// </summary>
public sealed class DitTransformer : IDisposable
{
    const double FinalNormEps = 1e-6;
    const string Positions = "pos_embed.pos_embed";

    readonly DitConfig config;
    readonly ParameterSet parameters;
    readonly ScalarType dtype;
    readonly TimestepSinusoids sinusoids;
    readonly Tensor positions;
    readonly Convolution patches;
    readonly DitBlock[] blocks;
    readonly Linear modulation;
    readonly Linear unpatch;

    /// <param name="config">The architecture.</param>
    /// <param name="parameters">Exactly those of <see cref="Parameters"/>, all of one type on one device; the network owns them.</param>
    public DitTransformer(DitConfig config, IReadOnlyDictionary<string, Tensor> parameters)
    {
        ArgumentNullException.ThrowIfNull(config);
        var set = new ParameterSet(parameters);
        this.config = config;
        this.parameters = set;
        dtype = set["proj_out_1.weight"].dtype;
        patches = set.Conv("pos_embed.proj", config.PatchSize, padding: 0);
        blocks = [.. Enumerable.Range(0, config.NumLayers).Select(i => new DitBlock(config, set, i))];
        modulation = set.Linear("proj_out_1");
        unpatch = set.Linear("proj_out_2");

        // The exponent runs to one over 10000 itself: downscale_freq_shift is 1.
        sinusoids = new TimestepSinusoids(DitBlock.SinusoidWidth, set.Device, shift: 1);
        using var scope = NewDisposeScope();
        positions = PositionTable.Make(config, set.Device).to(dtype).DetachFromDisposeScope();
    }

    /// <summary>Where the network lives.</summary>
    public Device Device => parameters.Device;

    /// <summary>Every parameter's name and shape, in the order of the state dict.</summary>
    public static IReadOnlyList<KeyValuePair<string, long[]>> Parameters(DitConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        var list = new ParameterList();
        list.Conv("pos_embed.proj", config.InChannels, config.Width, config.PatchSize);
        for (var i = 0; i < config.NumLayers; i++)
            DitBlock.Declare(list, config, i);
        list.Linear("proj_out_1", config.Width, 2 * config.Width);
        list.Linear("proj_out_2", config.Width, config.PatchSize * config.PatchSize * config.OutChannels);
        return list.Items;
    }

    /// <summary>Builds the network from a checkpoint. A stored table of positions is passed over: it is always the same.</summary>
    /// <param name="config">The architecture.</param>
    /// <param name="weights">The checkpoint; must hold exactly the architecture's parameters.</param>
    /// <param name="device">Where the network lives.</param>
    /// <param name="dtype">float32, float16 or bfloat16.</param>
    /// <exception cref="WeightsMismatchException">The checkpoint is of another architecture.</exception>
    public static DitTransformer Load(DitConfig config, IWeightSource weights, Device device, ScalarType dtype) =>
        ParameterSet.Load(Trained(weights), Parameters(config), device, dtype, loaded => new DitTransformer(config, loaded));

    /// <summary>A checkpoint without what is no parameter.</summary>
    internal static IWeightSource Trained(IWeightSource weights) => WeightsWithout.Over(weights, Positions);

    /// <summary>Evaluates the network. Rows are independent of each other.</summary>
    /// <param name="x">[B,in_channels,sample_size,sample_size], float32.</param>
    /// <param name="timesteps">[B], float32.</param>
    /// <param name="classLabels">[B], int64, 0 to the number of classes, which stands for none.</param>
    /// <returns>[B,out_channels,sample_size,sample_size], float32.</returns>
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
        var time = sinusoids.Of(timesteps).to(dtype);
        var h = patches.Forward(x.to(dtype)).flatten(2).transpose(1, 2).add(positions);
        observe?.Invoke("pos_embed", h);
        Tensor? first = null;
        foreach (var block in blocks)
        {
            var condition = block.Condition(time, classLabels);
            observe?.Invoke($"{block.Name}.norm1.emb", condition);
            h = h.Then(y => block.Forward(y, condition));
            observe?.Invoke(block.Name, h);
            if (first is null)
                first = condition;
            else
                condition.Dispose();
        }

        // The last layer is conditioned as the first block is.
        var m = modulation.Forward(nn.functional.silu(first!)).unsqueeze(1).chunk(2, 2);
        return Unpatched(unpatch.Forward(DitBlock.Modulate(h, m[1], m[0], FinalNormEps))).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        positions.Dispose();
        sinusoids.Dispose();
        parameters.Dispose();
    }

    /// <summary>[B,grid²,p·p·C] to [B,C,grid·p,grid·p], float32.</summary>
    Tensor Unpatched(Tensor tokens)
    {
        using var scope = NewDisposeScope();
        var (grid, p) = (config.Grid, config.PatchSize);
        return tokens.to(ScalarType.Float32).reshape(-1, grid, grid, p, p, config.OutChannels).permute(0, 5, 1, 3, 2, 4)
            .reshape(-1, config.OutChannels, grid * p, grid * p).contiguous().MoveToOuterDisposeScope();
    }

    void RequireShapes(long[] x, long[] timesteps, long[] labels)
    {
        if (x.Length != 4 || x[1] != config.InChannels || x[2] != config.SampleSize || x[3] != config.SampleSize)
            throw new ArgumentException($"The network takes states [B,{config.InChannels},{config.SampleSize},{config.SampleSize}], not [{string.Join(",", x)}].", nameof(x));
        if (timesteps.Length != 1 || timesteps[0] != x[0] || labels.Length != 1 || labels[0] != x[0])
            throw new ArgumentException($"The network takes one timestep and one class a row, [{x[0]}], not [{string.Join(",", timesteps)}] and [{string.Join(",", labels)}].", nameof(timesteps));
    }
}

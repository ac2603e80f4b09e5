using Taba.Diffusion.Models.Layers;
using Taba.Diffusion.Weights;
using static TorchSharp.torch;

namespace Taba.Diffusion.Models.Ldm;

/// <summary>
/// The UNet of latent diffusion without conditions (Rombach et al. 2022), as diffusers' UNet2DModel. For inference; owns its parameters.
/// </summary>
public sealed class UNet2DModel : IDisposable
{
    const string TimeEmbedding = "time_embedding";

    readonly UNet2DConfig _config;
    readonly ParameterSet _parameters;
    readonly ScalarType _dtype;
    readonly TimestepSinusoids _sinusoids;
    readonly TimestepMlp _timeEmbedding;
    readonly UNetTrunk _trunk;
    readonly TimeTable? _times;

    /// <param name="config">The architecture.</param>
    /// <param name="parameters">Exactly those of <see cref="Parameters"/>, all of one type on one device; the network owns them.</param>
    /// <param name="form">How it is computed.</param>
    public UNet2DModel(UNet2DConfig config, IReadOnlyDictionary<string, Tensor> parameters, NetworkForm form = NetworkForm.Plain)
    {
        ArgumentNullException.ThrowIfNull(config);
        var set = new ParameterSet(parameters, form);
        var plan = UNet2DPlan.Of(config);
        _config = config;
        _parameters = set;
        _dtype = UNetTrunk.DtypeOf(set);
        _timeEmbedding = new TimestepMlp(set, TimeEmbedding);
        _trunk = new UNetTrunk(
            set,
            [.. plan.Down.Select(block => block.Over(set, config.DownsamplePadding))],
            plan.Mid.Over(set, config.DownsamplePadding),
            [.. plan.Up.Select(block => block.Over(set, config.DownsamplePadding))],
            (config.NormNumGroups, config.NormEps),
            Activation.Silu);
        _sinusoids = new TimestepSinusoids(config.BlockOutChannels[0], set.Device, config.FlipSinToCos, config.FreqShift);
        set.Times.Complete();
        if (set.IsFast)
            _times = new(timestep => Embed(timestep, null));
    }

    /// <summary>The network's device.</summary>
    public Device Device => _parameters.Device;

    /// <summary>Every parameter's name and shape.</summary>
    public static IReadOnlyList<KeyValuePair<string, long[]>> Parameters(UNet2DConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        var plan = UNet2DPlan.Of(config);
        var first = config.BlockOutChannels[0];
        var list = new ParameterList();
        list.Conv("conv_in", config.InChannels, first, 3);
        TimestepMlp.Declare(list, TimeEmbedding, first, config.TimeEmbedDim);
        foreach (var block in plan.Down.Concat(plan.Up).Append(plan.Mid))
            block.Declare(list);
        list.Norm("conv_norm_out", first);
        list.Conv("conv_out", first, config.OutChannels, 3);
        return list.Items;
    }

    /// <summary>Builds the network from a checkpoint.</summary>
    /// <param name="config">The architecture.</param>
    /// <param name="weights">The checkpoint; must hold exactly the architecture's parameters.</param>
    /// <param name="device">Where the network lives.</param>
    /// <param name="dtype">float32, float16 or bfloat16; means and variances are float32 in all of them.</param>
    /// <param name="form">How it is computed.</param>
    /// <exception cref="WeightsMismatchException">The checkpoint is of another architecture.</exception>
    public static UNet2DModel Load(
        UNet2DConfig config, IWeightSource weights, Device device, ScalarType dtype, NetworkForm form = NetworkForm.Fast) =>
        ParameterSet.Load(weights, Parameters(config), device, dtype, loaded => new UNet2DModel(config, loaded, form));

    /// <summary>Evaluates the network. Rows are independent of each other.</summary>
    /// <param name="x">[B,in_channels,H,W], float32, with sides divisible by <see cref="UNet2DConfig.SideMultiple"/>.</param>
    /// <param name="timesteps">[B], float32.</param>
    /// <returns>[B,out_channels,H,W], float32.</returns>
    /// <exception cref="ArgumentException">A shape does not fit.</exception>
    public Tensor Forward(Tensor x, Tensor timesteps) => Forward(x, timesteps, null);

    /// <summary>As the public one; <paramref name="observe"/> sees outputs by the names of the layers, and must not keep them.</summary>
    internal Tensor Forward(Tensor x, Tensor timesteps, Action<string, Tensor>? observe)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(timesteps);
        RequireShapes(x.shape, timesteps.shape);

        using var scope = NewDisposeScope();
        var emb = observe is null && _times is not null ? _times.Of(timesteps) : Embed(timesteps, observe);
        return _trunk.Forward(x.to(_dtype), emb, null, observe).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        _times?.Dispose();
        _sinusoids.Dispose();
        _parameters.Dispose();
    }

    Tensor Embed(Tensor timesteps, Action<string, Tensor>? observe)
    {
        using var scope = NewDisposeScope();
        var time = _timeEmbedding.Forward(_sinusoids.Of(timesteps).to(_dtype));
        observe?.Invoke(TimeEmbedding, time);
        return _parameters.Times.Prepare(time.Then(_config.Activation)).MoveToOuterDisposeScope();
    }

    void RequireShapes(long[] x, long[] timesteps)
    {
        var multiple = _config.SideMultiple;
        if (x.Length != 4 || x[1] != _config.InChannels || x[2] % multiple != 0 || x[3] % multiple != 0)
            throw new ArgumentException(
                $"The network takes states [B,{_config.InChannels},H,W] with sides divisible by {multiple}, not [{string.Join(",", x)}].",
                nameof(x));
        if (timesteps.Length != 1 || timesteps[0] != x[0])
            throw new ArgumentException(
                $"The network takes one timestep a row, [{x[0]}], not [{string.Join(",", timesteps)}].", nameof(timesteps));
    }
}

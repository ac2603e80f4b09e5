using Taba.Diffusion.Models.Layers;
using Taba.Diffusion.Native;
using Taba.Diffusion.Weights;
using static TorchSharp.torch;

namespace Taba.Diffusion.Models.DeepFloydIf;

/// <summary>
/// The UNet of DeepFloyd IF's first stage (after Imagen, Saharia et al. 2022): pixels, conditioned on a text encoder's words through
/// every attention and, pooled, through the time embedding. For inference; owns its parameters.
/// </summary>
public sealed class UNet2DConditionModel : IDisposable
{
    const string TimeEmbedding = "time_embedding";
    const string HidProjection = "encoder_hid_proj";
    const string AddEmbedding = "add_embedding";

    readonly UNet2DConditionConfig _config;
    readonly ParameterSet _parameters;
    readonly ScalarType _dtype;
    readonly TimestepSinusoids _sinusoids;
    readonly TimestepMlp _timeEmbedding;
    readonly Linear _hidProjection;
    readonly TextTimeEmbedding _addEmbedding;
    readonly UNetTrunk _trunk;

    /// <param name="config">The architecture.</param>
    /// <param name="parameters">Exactly those of <see cref="Parameters"/>, all of one type on one device; the network owns them.</param>
    /// <param name="form">How it is computed.</param>
    public UNet2DConditionModel(
        UNet2DConditionConfig config, IReadOnlyDictionary<string, Tensor> parameters, NetworkForm form = NetworkForm.Plain)
    {
        ArgumentNullException.ThrowIfNull(config);
        var set = new ParameterSet(parameters, form);
        var plan = UNetPlan.Of(config);
        _config = config;
        _parameters = set;
        _dtype = UNetTrunk.DtypeOf(set);
        _timeEmbedding = new TimestepMlp(set, TimeEmbedding, config.Activation);
        _hidProjection = set.Linear(HidProjection);
        _addEmbedding = new TextTimeEmbedding(set, AddEmbedding, config.AdditionEmbedTypeNumHeads);
        _trunk = new UNetTrunk(
            set,
            [.. plan.Down.Select(block => block.Over(set))],
            plan.Mid.Over(set),
            [.. plan.Up.Select(block => block.Over(set))],
            (config.NormNumGroups, config.NormEps),
            config.Activation);
        _sinusoids = new TimestepSinusoids(config.BlockOutChannels[0], set.Device, config.FlipSinToCos, config.FreqShift);
        set.Times.Complete();
    }

    /// <summary>The network's device.</summary>
    public Device Device => _parameters.Device;

    /// <summary>The state's shape at the architecture's own size.</summary>
    public StateShape Shape => _config.Shape;

    /// <summary>Every parameter's name and shape, in the order of the state dict.</summary>
    public static IReadOnlyList<KeyValuePair<string, long[]>> Parameters(UNet2DConditionConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        var plan = UNetPlan.Of(config);
        var first = config.BlockOutChannels[0];
        var list = new ParameterList();
        list.Conv("conv_in", config.Shape.Channels, first, config.ConvInKernel);
        TimestepMlp.Declare(list, TimeEmbedding, first, config.TimeEmbedDim);
        list.Linear(HidProjection, config.EncoderHidDim, config.CrossAttentionDim);
        TextTimeEmbedding.Declare(list, AddEmbedding, config.EncoderHidDim, config.TimeEmbedDim);
        foreach (var block in plan.Down.Concat(plan.Up).Append(plan.Mid))
            block.Declare(list);
        list.Norm("conv_norm_out", first);
        list.Conv("conv_out", first, config.OutChannels, config.ConvOutKernel);
        return list.Items;
    }

    /// <summary>Builds the network from a checkpoint.</summary>
    /// <param name="config">The architecture.</param>
    /// <param name="weights">The checkpoint; must hold exactly the architecture's parameters.</param>
    /// <param name="device">Where the network lives.</param>
    /// <param name="dtype">float32, float16 or bfloat16; means and variances are float32 in all of them.</param>
    /// <param name="form">How it is computed.</param>
    /// <exception cref="WeightsMismatchException">The checkpoint is of another architecture.</exception>
    public static UNet2DConditionModel Load(
        UNet2DConditionConfig config, IWeightSource weights, Device device, ScalarType dtype, NetworkForm form = NetworkForm.Fast) =>
        ParameterSet.Load(weights, Parameters(config), device, dtype, loaded => new UNet2DConditionModel(config, loaded, form));

    /// <summary>Evaluates the network. Rows are independent of each other.</summary>
    /// <param name="x">[B,in_channels,H,W], float32, with sides divisible by <see cref="UNet2DConditionConfig.SideMultiple"/>.</param>
    /// <param name="timesteps">[B], float32.</param>
    /// <param name="encoderHiddenStates">[B,L,encoder_hid_dim], float32: the text encoder's result, padding included.</param>
    /// <returns>[B,out_channels,H,W], float32: eps and, where it is learned, the variance's channels after it.</returns>
    /// <exception cref="ArgumentException">A shape does not fit.</exception>
    public Tensor Forward(Tensor x, Tensor timesteps, Tensor encoderHiddenStates) => Forward(x, timesteps, encoderHiddenStates, null);

    /// <summary>As the public one; <paramref name="observe"/> sees outputs by the names of the layers, and must not keep them.</summary>
    internal Tensor Forward(Tensor x, Tensor timesteps, Tensor encoderHiddenStates, Action<string, Tensor>? observe)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(timesteps);
        ArgumentNullException.ThrowIfNull(encoderHiddenStates);
        RequireShapes(x.shape, timesteps.shape, encoderHiddenStates.shape);

        using var scope = NewDisposeScope();
        var words = encoderHiddenStates.to(_dtype);
        var emb = Embed(timesteps, words, observe);
        var text = _hidProjection.Forward(words);
        observe?.Invoke(HidProjection, text);
        return _trunk.Forward(x.to(_dtype), emb, text, observe).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        _sinusoids.Dispose();
        _parameters.Dispose();
    }

    /// <summary>What blocks need of the time embedding with the pooled text.</summary>
    Tensor Embed(Tensor timesteps, Tensor words, Action<string, Tensor>? observe)
    {
        using var scope = NewDisposeScope();
        var time = _timeEmbedding.Forward(_sinusoids.Of(timesteps).to(_dtype));
        observe?.Invoke(TimeEmbedding, time);
        var added = _addEmbedding.Forward(words);
        observe?.Invoke(AddEmbedding, added);
        return _parameters.Times.Prepare(time.add(added, Scalars.One).Then(_config.Activation)).MoveToOuterDisposeScope();
    }

    void RequireShapes(long[] x, long[] timesteps, long[] text)
    {
        var multiple = _config.SideMultiple;
        if (x.Length != 4 || x[1] != _config.Shape.Channels || x[2] % multiple != 0 || x[3] % multiple != 0)
            throw Misshaped($"states [B,{_config.Shape.Channels},H,W] with sides divisible by {multiple}", x, nameof(x));
        if (timesteps.Length != 1 || timesteps[0] != x[0])
            throw Misshaped($"one timestep a row, [{x[0]}]", timesteps, nameof(timesteps));
        if (text.Length != 3 || text[0] != x[0] || text[1] < 1 || text[2] != _config.EncoderHidDim)
            throw Misshaped($"words [{x[0]},L,{_config.EncoderHidDim}]", text, nameof(text));

        static ArgumentException Misshaped(string expected, long[] found, string parameter) =>
            new($"The network takes {expected}, not [{string.Join(",", found)}].", parameter);
    }
}

using Taba.Diffusion.Models.Layers;
using Taba.Diffusion.Native;
using Taba.Diffusion.Weights;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Taba.Diffusion.Models.Adm;

/// <summary>
/// The UNet of guided-diffusion (Dhariwal and Nichol 2021, "Diffusion Models Beat GANs on Image Synthesis"). Owns its
/// parameters. Gradients flow when the parameters want them and the network was built for that.
/// </summary>
public sealed class AdmUnet : IDenoiser
{
    readonly ParameterSet _parameters;
    readonly LayerOptions _options;
    readonly bool _classCond;
    readonly int _classes;
    readonly bool _learnSigma;
    readonly TimestepSinusoids _sinusoids;
    readonly ILayer[][] _input;
    readonly ILayer[] _middle;
    readonly ILayer[][] _output;
    readonly GroupNorm _outNorm;
    readonly Convolution _outConv;
    readonly Linear _timeFirst;
    readonly Linear _timeSecond;
    readonly TimeTable? _times;

    /// <param name="config">The architecture.</param>
    /// <param name="parameters">Exactly those of <see cref="AdmParameters.Expected"/>, all on one device; the network owns them.</param>
    /// <param name="torso">The element type between the first and the last layer: float32, float16 or bfloat16.</param>
    /// <param name="forTraining">Keeps intermediates intact for the backward pass.</param>
    /// <param name="shape">The state's shape when it is not the architecture's own (the network is convolutional).</param>
    /// <param name="form">How it is computed; for training only plain.</param>
    public AdmUnet(
        AdmConfig config,
        IReadOnlyDictionary<string, Tensor> parameters,
        ScalarType torso,
        bool forTraining = false,
        StateShape? shape = null,
        NetworkForm form = NetworkForm.Plain)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(parameters);
        _parameters = new ParameterSet(parameters, forTraining ? NetworkForm.Plain : form);
        _options = new LayerOptions(ParameterSet.Computable(torso), InPlace: !forTraining, _parameters.IsFast);
        _classCond = config.ClassCond;
        _classes = config.NumClasses;
        _learnSigma = config.LearnSigma;
        Shape = shape ?? config.Shape;
        Device = _parameters.Device;
        _sinusoids = new TimestepSinusoids(config.NumChannels, Device);
        _timeFirst = _parameters.Linear("time_embed.0");
        _timeSecond = _parameters.Linear("time_embed.2");

        var layers = new AdmLayerFactory(config, _options, _parameters);
        var plan = AdmPlan.Of(config);
        _input = [.. plan.Input.Select(layers.Block)];
        _middle = layers.Block(plan.Middle);
        _output = [.. plan.Output.Select(layers.Block)];
        _outNorm = layers.Norm("out.0");
        _outConv = layers.Conv("out.2");
        _parameters.Times.Complete();
        if (_parameters.IsFast && !_classCond)
            _times = new(timestep => Embed(timestep, null));
    }

    public StateShape Shape { get; }

    public Device Device { get; }

    public int? ClassCount => _classCond ? _classes : null;

    /// <summary>Builds the network from a checkpoint.</summary>
    /// <param name="config">The architecture.</param>
    /// <param name="weights">The checkpoint; must hold exactly the architecture's parameters.</param>
    /// <param name="device">Where the network lives.</param>
    /// <param name="torso">The element type of the torso; the rest is float32.</param>
    /// <param name="shape">The state's shape when it is not the architecture's own.</param>
    /// <param name="form">How it is computed.</param>
    /// <exception cref="WeightsMismatchException">The checkpoint is of another architecture.</exception>
    public static AdmUnet Load(
        AdmConfig config, IWeightSource weights, Device device, ScalarType torso, StateShape? shape = null,
        NetworkForm form = NetworkForm.Fast) =>
        ParameterSet.Load(
            weights,
            AdmParameters.Expected(config),
            device,
            name => AdmParameters.IsTorso(name) ? torso : ScalarType.Float32,
            loaded => new AdmUnet(config, loaded, torso, shape: shape, form: form));

    public Tensor PredictEps(Tensor xt, Tensor timesteps, Tensor? conditions)
    {
        using var scope = NewDisposeScope();
        var result = Forward(xt, timesteps, conditions);
        return (_learnSigma ? result.narrow(1, 0, 3).contiguous() : result).MoveToOuterDisposeScope();
    }

    /// <summary>The network's whole output: eps and, when it was trained so, the variance's interpolation.</summary>
    /// <param name="xt">[B,3,S,S], float32.</param>
    /// <param name="timesteps">[B], float32.</param>
    /// <param name="classes">[B], int64, or null.</param>
    /// <returns>[B,3 or 6,S,S], float32.</returns>
    public Tensor Forward(Tensor xt, Tensor timesteps, Tensor? classes)
    {
        ArgumentNullException.ThrowIfNull(xt);
        ArgumentNullException.ThrowIfNull(timesteps);
        if (classes is null == _classCond)
            throw new ArgumentException(_classCond ? "This model needs class ids." : "This model takes no class ids.", nameof(classes));

        using var scope = NewDisposeScope();
        var emb = _times?.Of(timesteps) ?? Embed(timesteps, classes);
        var typed = xt.to(_options.Torso);
        var h = _options.Fast ? MemoryLayout.ChannelsLast(typed) : MemoryLayout.Suited(typed);
        var skips = new Stack<Tensor>(_input.Length);
        foreach (var block in _input)
        {
            h = Run(block, h, emb, keepInput: true);
            skips.Push(h);
        }

        h = Run(_middle, h, emb, keepInput: true);
        foreach (var block in _output)
            h = Run(block, Joined(h, skips.Pop()), emb, keepInput: false);

        h = h.Then(y => y.to(ScalarType.Float32))
            .Then(y => _outNorm.Forward(y, Activation.Silu, _options.InPlace)).Then(_outConv.Forward);
        return h.contiguous().MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        _times?.Dispose();
        _sinusoids.Dispose();
        _parameters.Dispose();
    }

    Tensor Embed(Tensor timesteps, Tensor? classes)
    {
        using var scope = NewDisposeScope();
        var emb = _sinusoids.Of(timesteps);
        emb = _timeSecond.Forward(silu(_timeFirst.Forward(emb)));
        if (classes is not null)
            emb = emb.add(_parameters["label_emb.weight"].index_select(0, classes), Scalars.One);

        // Every block begins with a SiLU of the embedding: once is enough.
        return _parameters.Times.Prepare(silu(emb)).MoveToOuterDisposeScope();
    }

    static Tensor Joined(Tensor h, Tensor skip)
    {
        using (h)
        using (skip)
            return cat([h, skip], 1);
    }

    static Tensor Run(ILayer[] block, Tensor x, Tensor emb, bool keepInput)
    {
        var h = x;
        foreach (var layer in block)
        {
            var next = layer.Forward(h, emb);
            if (!keepInput || !ReferenceEquals(h, x))
                h.Dispose();
            h = next;
        }

        return h;
    }
}

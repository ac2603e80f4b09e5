using System.Diagnostics;
using System.Runtime.InteropServices;
using Taba.Diffusion.Models.Adm;
using Taba.Diffusion.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Taba.DemoModel;

/// <summary>Settings of a training run.</summary>
/// <param name="Minutes">Training time of all runs together; the learning rate reaches zero then.</param>
/// <param name="BatchSize">Pictures of a step.</param>
/// <param name="LearningRate">The highest learning rate, after the warm-up.</param>
/// <param name="Torso">Element type of states and convolutions; the weights are float32 always.</param>
/// <param name="StatePath">Where the state is kept.</param>
sealed record TrainingOptions(double Minutes, int BatchSize, double LearningRate, ScalarType Torso, string StatePath);

/// <summary>
/// Trains the network to predict eps by weighted squared error (Ho et al. 2020, algorithm 1) with AdamW and an exponential
/// moving average of the weights.
/// </summary>
sealed class Trainer : IDisposable
{
    const int WarmUpSteps = 200;
    const int StepsBetweenReports = 50;
    const double Beta1 = 0.9;
    const double Beta2 = 0.99;
    const double Decay = 0.01;
    const double AverageDecay = 0.995;
    const double GradientNorm = 1.0;
    const ulong NoiseStream = 0xE125;
    static readonly Scalar s_beta1 = Beta1.ToScalar();
    static readonly Scalar s_freshFirst = (1 - Beta1).ToScalar();
    static readonly Scalar s_beta2 = Beta2.ToScalar();
    static readonly Scalar s_freshSecond = (1 - Beta2).ToScalar();
    static readonly Scalar s_epsilon = 1e-8.ToScalar();
    static readonly Scalar s_noiseScaleDeviation = 0.08.ToScalar();
    static readonly Scalar s_noiseOffsetDeviation = 0.08.ToScalar();
    static readonly Scalar s_heldBackSnr = 5.0.ToScalar();
    static readonly Scalar s_highestWeight = 16.0.ToScalar();
    static readonly TimeSpan s_betweenSaves = TimeSpan.FromMinutes(10);

    readonly TrainingOptions _options;
    readonly TrainingState _state;
    readonly Tensor[] _parameters;
    readonly AdmUnet _network;
    readonly double[] _alphaBars = DemoArchitecture.AlphaBars();
    readonly float[] _pictures;

    public Trainer(TrainingOptions options)
    {
        _options = options;
        _pictures = new float[options.BatchSize * ShapePictures.Elements];
        if (File.Exists(options.StatePath))
        {
            _state = TrainingState.Read(options.StatePath);
        }
        else
        {
            _state = new TrainingState();
            _state.Weights.Initialise(seed: 1);
            _state.Average.Values.copy_(_state.Weights.Values);
        }

        var named = _state.Weights.Names.ToDictionary(
            name => name, name => _state.Weights.View(name).requires_grad_(true), StringComparer.Ordinal);
        _parameters = [.. named.Values];
        _network = new AdmUnet(DemoArchitecture.Config, named, options.Torso, forTraining: true);
    }

    /// <summary>Trains until the time is up or the process is asked to stop, then saves.</summary>
    public void Run(TextWriter log)
    {
        using var stop = new CancellationTokenSource();
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Cancel);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Cancel);
        log.WriteLine(
            $"{_state.Weights.Count} parameters, step {_state.Step}, {_state.Seconds / 60:F1} of {_options.Minutes} minutes done");
        var clock = Stopwatch.StartNew();
        var before = _state.Seconds;
        var (reported, saved, losses) = (before, before, 0.0);
        while (_state.Seconds < 60 * _options.Minutes && !stop.IsCancellationRequested)
        {
            losses += Step();
            _state.Seconds = before + clock.Elapsed.TotalSeconds;
            if (_state.Step % StepsBetweenReports == 0)
            {
                var rate = StepsBetweenReports * _options.BatchSize / (_state.Seconds - reported);
                log.WriteLine(
                    $"step {_state.Step}  minute {_state.Seconds / 60:F1}  loss {losses / StepsBetweenReports:F5}  "
                    + $"lr {LearningRate():E2}  {rate:F1} images/s");
                (reported, losses) = (_state.Seconds, 0);
            }

            if (_state.Seconds - saved >= s_betweenSaves.TotalSeconds)
            {
                _state.Save(_options.StatePath);
                saved = _state.Seconds;
            }
        }

        _state.Save(_options.StatePath);
        log.WriteLine($"saved at step {_state.Step}, minute {_state.Seconds / 60:F1}");

        void Cancel(PosixSignalContext context)
        {
            context.Cancel = true;
            stop.Cancel();
        }
    }

    public void Dispose()
    {
        _network.Dispose();
        _state.Dispose();
    }

    /// <summary>Warm-up, then half a cosine over the training time.</summary>
    double LearningRate()
    {
        var progress = Math.Min(1, _state.Seconds / (60 * _options.Minutes));
        return _options.LearningRate * Math.Min(1, (_state.Step + 1.0) / WarmUpSteps) * (0.5 + (0.5 * Math.Cos(Math.PI * progress)));
    }

    double Step()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(NoiseStream + (ulong)_state.Step);
        var (batch, size) = (_options.BatchSize, ShapePictures.Size);
        for (var i = 0; i < batch; i++)
        {
            ShapePictures.Draw(
                ((ulong)_state.Step * (ulong)batch) + (ulong)i,
                _pictures.AsSpan(i * ShapePictures.Elements, ShapePictures.Elements));
        }

        var (timesteps, alphaBar) = Timesteps();
        var x0 = tensor(_pictures, [batch, 3, size, size]);
        var noise = Noise(batch, size, generator);
        var level = alphaBar.view(-1, 1, 1, 1);
        var xt = level.sqrt().mul(x0).add(level.neg().add(Scalars.One, Scalars.One).sqrt().mul(noise), Scalars.One);
        var errors = (_network.Forward(xt, timesteps, classes: null) - noise).pow(Scalars.Two).mean([1L, 2, 3]);
        var loss = (errors * Weights(alphaBar)).mean();
        loss.backward();
        Update();
        _state.Step++;
        return loss.item<float>();
    }

    /// <summary>
    /// Noise whose deviation and mean vary from picture to picture a little more than chance lets them. The normalisations of so
    /// narrow a network hide both from it; it must learn to measure them, or what it misses stays in the samples as grain and tint.
    /// </summary>
    static Tensor Noise(long batch, long size, Generator generator)
    {
        var noise = randn([batch, 3, size, size], generator: generator);
        var scale = randn([batch, 1, 1, 1], generator: generator).mul(s_noiseScaleDeviation).add(Scalars.One, Scalars.One);
        var offset = randn([batch, 3, 1, 1], generator: generator).mul(s_noiseOffsetDeviation);
        return noise.mul(scale).add(offset, Scalars.One);
    }

    /// <summary>One timestep from each of B equal stretches: the loss varies less from batch to batch.</summary>
    (Tensor Timesteps, Tensor AlphaBar) Timesteps()
    {
        var random = new CounterRandom(NoiseStream, (ulong)_state.Step);
        var (timesteps, levels) = (new float[_options.BatchSize], new float[_options.BatchSize]);
        for (var i = 0; i < _options.BatchSize; i++)
        {
            var t = (int)((i + random.Next()) / _options.BatchSize * _alphaBars.Length);
            timesteps[i] = t * 1000f / _alphaBars.Length;
            levels[i] = (float)_alphaBars[t];
        }

        return (tensor(timesteps), tensor(levels));
    }

    /// <summary>
    /// What an error of eps matters. With much noise it is that of v = (eps - √(1-ᾱ)·x)/√ᾱ (Salimans and Ho 2022), 1/ᾱ, up to 16: there
    /// small errors of eps are large errors of x̂0, which stay in the samples as grain. Levels with little noise, where the
    /// error is large and matters least, are held back by √(5/SNR), a milder form of min-SNR (Hang et al. 2023).
    /// </summary>
    static Tensor Weights(Tensor alphaBar)
    {
        var inverse = alphaBar.reciprocal();
        return inverse.clamp_max(s_highestWeight).mul(inverse.sub(Scalars.One).mul(s_heldBackSnr).sqrt().clamp_max(Scalars.One));
    }

    /// <summary>AdamW (Loshchilov and Hutter 2019, algorithm 2) on the gradient scaled down to at most norm 1, and the average.</summary>
    void Update()
    {
        using var noGrad = no_grad();
        var gradient = cat([.. _parameters.Select(p => p.grad!.reshape(-1))], 0);
        Shrink(gradient);
        foreach (var parameter in _parameters)
            parameter.grad!.zero_();

        var (rate, t) = (LearningRate(), _state.Step + 1);
        using var correction = Math.Sqrt(1 - Math.Pow(Beta2, t)).ToScalar();
        using var decay = (1 - (rate * Decay)).ToScalar();
        using var step = (-rate / (1 - Math.Pow(Beta1, t))).ToScalar();
        _state.First.mul_(s_beta1).add_(gradient, s_freshFirst);
        _state.Second.mul_(s_beta2).addcmul_(gradient, gradient, s_freshSecond);
        var denominator = _state.Second.sqrt().div_(correction).add_(s_epsilon, Scalars.One);
        _state.Weights.Values.mul_(decay);
        _state.Weights.Values.addcdiv_(_state.First, denominator, step);

        // At first the average must forget the starting values quickly.
        var fresh = 1 - Math.Min(AverageDecay, t / (t + 10.0));
        _state.Average.Values.lerp_(_state.Weights.Values, fresh);
    }

    /// <summary>Scales a gradient down to at most norm 1.</summary>
    static void Shrink(Tensor gradient)
    {
        var norm = gradient.norm().item<float>();
        using var share = (GradientNorm / norm).ToScalar();
        if (norm > GradientNorm)
            gradient.mul_(share);
    }
}

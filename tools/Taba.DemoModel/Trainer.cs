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
    static readonly TimeSpan betweenSaves = TimeSpan.FromMinutes(10);

    readonly TrainingOptions options;
    readonly TrainingState state;
    readonly Tensor[] parameters;
    readonly AdmUnet network;
    readonly double[] alphaBars = DemoArchitecture.AlphaBars();
    readonly float[] pictures;

    public Trainer(TrainingOptions options)
    {
        this.options = options;
        pictures = new float[options.BatchSize * ShapePictures.Elements];
        if (File.Exists(options.StatePath))
        {
            state = TrainingState.Read(options.StatePath);
        }
        else
        {
            state = new TrainingState();
            state.Weights.Initialise(seed: 1);
            state.Average.Values.copy_(state.Weights.Values);
        }

        var named = state.Weights.Names.ToDictionary(
            name => name, name => state.Weights.View(name).requires_grad_(true), StringComparer.Ordinal);
        parameters = [.. named.Values];
        network = new AdmUnet(DemoArchitecture.Config, named, options.Torso, forTraining: true);
    }

    /// <summary>Trains until the time is up or the process is asked to stop, then saves.</summary>
    public void Run(TextWriter log)
    {
        using var stop = new CancellationTokenSource();
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Cancel);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Cancel);
        log.WriteLine($"{state.Weights.Count} parameters, step {state.Step}, {state.Seconds / 60:F1} of {options.Minutes} minutes done");
        var clock = Stopwatch.StartNew();
        var before = state.Seconds;
        var (reported, saved, losses) = (before, before, 0.0);
        while (state.Seconds < 60 * options.Minutes && !stop.IsCancellationRequested)
        {
            losses += Step();
            state.Seconds = before + clock.Elapsed.TotalSeconds;
            if (state.Step % StepsBetweenReports == 0)
            {
                var rate = StepsBetweenReports * options.BatchSize / (state.Seconds - reported);
                log.WriteLine(
                    $"step {state.Step}  minute {state.Seconds / 60:F1}  loss {losses / StepsBetweenReports:F5}  "
                    + $"lr {LearningRate():E2}  {rate:F1} images/s");
                (reported, losses) = (state.Seconds, 0);
            }

            if (state.Seconds - saved >= betweenSaves.TotalSeconds)
            {
                state.Save(options.StatePath);
                saved = state.Seconds;
            }
        }

        state.Save(options.StatePath);
        log.WriteLine($"saved at step {state.Step}, minute {state.Seconds / 60:F1}");

        void Cancel(PosixSignalContext context)
        {
            context.Cancel = true;
            stop.Cancel();
        }
    }

    public void Dispose()
    {
        network.Dispose();
        state.Dispose();
    }

    /// <summary>Warm-up, then half a cosine over the training time.</summary>
    double LearningRate()
    {
        var progress = Math.Min(1, state.Seconds / (60 * options.Minutes));
        return options.LearningRate * Math.Min(1, (state.Step + 1.0) / WarmUpSteps) * (0.5 + (0.5 * Math.Cos(Math.PI * progress)));
    }

    double Step()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(NoiseStream + (ulong)state.Step);
        var (batch, size) = (options.BatchSize, ShapePictures.Size);
        for (var i = 0; i < batch; i++)
        {
            ShapePictures.Draw(
                ((ulong)state.Step * (ulong)batch) + (ulong)i,
                pictures.AsSpan(i * ShapePictures.Elements, ShapePictures.Elements));
        }

        var (timesteps, alphaBar) = Timesteps();
        var x0 = tensor(pictures, [batch, 3, size, size]);
        var noise = Noise(batch, size, generator);
        var level = alphaBar.view(-1, 1, 1, 1);
        var xt = level.sqrt().mul(x0).add(level.neg().add(Scalars.One, Scalars.One).sqrt().mul(noise), Scalars.One);
        var errors = (network.Forward(xt, timesteps, classes: null) - noise).pow(Scalars.Two).mean([1L, 2, 3]);
        var loss = (errors * Weights(alphaBar)).mean();
        loss.backward();
        Update();
        state.Step++;
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
        var random = new CounterRandom(NoiseStream, (ulong)state.Step);
        var (timesteps, levels) = (new float[options.BatchSize], new float[options.BatchSize]);
        for (var i = 0; i < options.BatchSize; i++)
        {
            var t = (int)((i + random.Next()) / options.BatchSize * alphaBars.Length);
            timesteps[i] = t * 1000f / alphaBars.Length;
            levels[i] = (float)alphaBars[t];
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
        var gradient = cat([.. parameters.Select(p => p.grad!.reshape(-1))], 0);
        Shrink(gradient);
        foreach (var parameter in parameters)
            parameter.grad!.zero_();

        var (rate, t) = (LearningRate(), state.Step + 1);
        using var correction = Math.Sqrt(1 - Math.Pow(Beta2, t)).ToScalar();
        using var decay = (1 - (rate * Decay)).ToScalar();
        using var step = (-rate / (1 - Math.Pow(Beta1, t))).ToScalar();
        state.First.mul_(s_beta1).add_(gradient, s_freshFirst);
        state.Second.mul_(s_beta2).addcmul_(gradient, gradient, s_freshSecond);
        var denominator = state.Second.sqrt().div_(correction).add_(s_epsilon, Scalars.One);
        state.Weights.Values.mul_(decay);
        state.Weights.Values.addcdiv_(state.First, denominator, step);

        // At first the average must forget the starting values quickly.
        var fresh = 1 - Math.Min(AverageDecay, t / (t + 10.0));
        state.Average.Values.lerp_(state.Weights.Values, fresh);
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

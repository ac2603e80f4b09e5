using System.Diagnostics;
using Taba.Diffusion.Engine;
using Taba.Diffusion.Models;
using static TorchSharp.torch;

namespace Taba.Client.Benching;

/// <summary>Measures how fast a network evaluates batches, alone on its device: without integrator, engine or disk.</summary>
/// <param name="network">On its device.</param>
/// <param name="atLeast">The time that a batch size is measured for.</param>
sealed class NetworkSpeed(IDenoiser network, TimeSpan atLeast)
{
    /// <summary>Libraries choose their kernels, and reserve their memory, in the first passes.</summary>
    const int WarmUp = 2;

    const int LeastPasses = 3;

    /// <summary>Any will do.</summary>
    const float Timestep = 500;

    /// <summary>Evaluates batches of one size until the time is over.</summary>
    /// <param name="batchSize">Rows of a pass.</param>
    /// <returns>The median pass; null when the device has too little memory for one.</returns>
    public BatchSpeed? Measure(int batchSize, CancellationToken cancellationToken)
    {
        try
        {
            using var inference = inference_mode();
            using var scope = NewDisposeScope();
            var shape = network.Shape;
            var xt = randn([batchSize, shape.Channels, shape.Height, shape.Width], device: network.Device);
            var timesteps = tensor([.. Enumerable.Repeat(Timestep, batchSize)], device: network.Device);
            var conditions = Conditions(batchSize);
            for (var i = 0; i < WarmUp; i++)
                Pass(xt, timesteps, conditions);
            var times = new List<double>();
            for (var began = Stopwatch.GetTimestamp(); times.Count < LeastPasses || Stopwatch.GetElapsedTime(began) < atLeast;)
            {
                cancellationToken.ThrowIfCancellationRequested();
                times.Add(Pass(xt, timesteps, conditions).TotalSeconds);
            }
            times.Sort();
            return new(batchSize, times[times.Count / 2], times.Count);
        }
        catch (Exception exception) when (DeviceMemory.IsExhausted(exception))
        {
            return null;
        }
    }

    Tensor? Conditions(int batchSize) => network switch
    {
        { ClassCount: not null } => zeros([batchSize], ScalarType.Int64, network.Device),
        { Text: { } text } => zeros([batchSize, text.Length, text.Width], network.TextType, network.Device),
        _ => null,
    };

    TimeSpan Pass(Tensor xt, Tensor timesteps, Tensor? conditions)
    {
        using var scope = NewDisposeScope();
        var began = Stopwatch.GetTimestamp();
        network.PredictEps(xt, timesteps, conditions);
        if (network.Device.type == TorchSharp.DeviceType.CUDA)
            cuda.synchronize(network.Device);
        return Stopwatch.GetElapsedTime(began);
    }
}

/// <summary>How fast a network evaluated batches of a size.</summary>
/// <param name="BatchSize">Rows of a pass.</param>
/// <param name="PassSeconds">The median of all passes.</param>
/// <param name="Passes">How many there were.</param>
sealed record BatchSpeed(int BatchSize, double PassSeconds, int Passes)
{
    /// <summary>Evaluations, rows times passes, a second.</summary>
    public double PerSecond => BatchSize / PassSeconds;
}

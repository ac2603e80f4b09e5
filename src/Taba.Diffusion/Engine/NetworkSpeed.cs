using System.Diagnostics;
using Taba.Diffusion.Models;
using static TorchSharp.torch;

namespace Taba.Diffusion.Engine;

/// <summary>
/// Measures how fast a network evaluates batches, alone on its device: without integrator, engine or disk. One thread at a time.
/// </summary>
/// <param name="network">On its device.</param>
public sealed class NetworkSpeed(IDenoiser network)
{
    /// <summary>Libraries choose their kernels, and reserve their memory, in the first passes of a shape.</summary>
    const int WarmUp = 2;

    const int LeastPasses = 3;

    /// <summary>Any will do.</summary>
    const float Timestep = 500;

    /// <summary>Evaluates batches of one size until the time is over.</summary>
    /// <param name="rows">Rows of a pass, 1 or more.</param>
    /// <param name="atLeast">The time, without the first two passes.</param>
    /// <param name="cancellationToken">Stops between passes.</param>
    /// <returns>The median pass; null when the device has too little memory for one.</returns>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public BatchSpeed? Measure(int rows, TimeSpan atLeast, CancellationToken cancellationToken)
    {
        var times = new List<double>();
        var began = Stopwatch.GetTimestamp();
        for (var pass = 0; times.Count < LeastPasses || Stopwatch.GetElapsedTime(began) < atLeast; pass++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (Pass(rows) is not { } time)
                return null;
            if (pass < WarmUp)
                began = Stopwatch.GetTimestamp();
            else
                times.Add(time.TotalSeconds);
        }
        times.Sort();
        return new(rows, times[times.Count / 2], times.Count);
    }

    /// <summary>Evaluates one batch of normal noise.</summary>
    /// <param name="rows">Its rows, 1 or more.</param>
    /// <returns>What the network took; null when the device has too little memory.</returns>
    public TimeSpan? Pass(int rows)
    {
        try
        {
            using var inference = inference_mode();
            using var scope = NewDisposeScope();
            var shape = network.Shape;
            var xt = randn([rows, shape.Channels, shape.Height, shape.Width], device: network.Device);
            var timesteps = tensor([.. Enumerable.Repeat(Timestep, rows)], device: network.Device);
            var conditions = Conditions(rows);
            Wait();
            var began = Stopwatch.GetTimestamp();
            network.PredictEps(xt, timesteps, conditions);
            Wait();
            return Stopwatch.GetElapsedTime(began);
        }
        catch (Exception exception) when (DeviceMemory.IsExhausted(exception))
        {
            return null;
        }
    }

    Tensor? Conditions(int rows) => network switch
    {
        { ClassCount: not null } => zeros([rows], ScalarType.Int64, network.Device),
        { Text: { } text } => zeros([rows, text.Length, text.Width], network.TextType, network.Device),
        _ => null,
    };

    /// <summary>A GPU computes behind the caller's back.</summary>
    void Wait()
    {
        if (network.Device.type == TorchSharp.DeviceType.CUDA)
            cuda.synchronize(network.Device);
    }
}

/// <summary>How fast a network evaluated batches of a size.</summary>
/// <param name="BatchSize">Rows of a pass.</param>
/// <param name="PassSeconds">The time of a pass.</param>
/// <param name="Passes">How many were measured.</param>
public sealed record BatchSpeed(int BatchSize, double PassSeconds, int Passes)
{
    /// <summary>Evaluations, rows times passes, a second.</summary>
    public double PerSecond => BatchSize / PassSeconds;
}

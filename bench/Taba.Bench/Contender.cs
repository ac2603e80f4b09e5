using System.Diagnostics;
using static TorchSharp.torch;

namespace Taba.Bench;

/// <summary>Something whose passes are timed beside others' of the same round.</summary>
/// <param name="Name">For the table.</param>
/// <param name="Operations">
/// Floating-point operations of a pass: two for a multiplication with its addition, of convolutions, linear layers and attention.
/// </param>
/// <param name="Seconds">The time that a round gives it.</param>
/// <param name="Pass">One pass.</param>
sealed record Contender(string Name, double Operations, double Seconds, Action Pass)
{
    const int LeastPasses = 3;

    /// <summary>A pass as every forward is run: without gradients, and with its tensors freed.</summary>
    public static Action InScope(Action pass) => () =>
    {
        using var inference = inference_mode();
        using var scope = NewDisposeScope();
        pass();
    };

    /// <summary>Passes until the time is over, three at least.</summary>
    /// <returns>Seconds of the median pass.</returns>
    public double Round(CancellationToken cancellationToken)
    {
        var times = new List<double>();
        for (var began = Stopwatch.GetTimestamp(); times.Count < LeastPasses || Stopwatch.GetElapsedTime(began).TotalSeconds < Seconds;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var pass = Stopwatch.GetTimestamp();
            Pass();
            times.Add(Stopwatch.GetElapsedTime(pass).TotalSeconds);
        }
        return Spread.Of(times).Median;
    }
}

using System.Collections.Concurrent;
using Taba.Diffusion.Models.Kernels;
using Taba.Diffusion.Native;
using static TorchSharp.torch;

namespace Taba.Diffusion.Models.Layers;

/// <summary>
/// What a network makes of a timestep alone, computed once for each: every sample of a sweep goes through the same ones. For the processor,
/// where the host can look at timesteps without waiting for a device. Several threads may use it side by side.
/// </summary>
/// <param name="compute">[1] to [1,width].</param>
sealed class TimeTable(Func<Tensor, Tensor> compute) : IDisposable
{
    /// <summary>As many as any schedule of the paper's models has; what comes beyond is computed and forgotten.</summary>
    const int Most = 1024;

    readonly ConcurrentDictionary<float, Tensor> _rows = [];

    /// <param name="timesteps">[B], on the processor.</param>
    /// <returns>[B,width]; its rows may be one in memory.</returns>
    public unsafe Tensor Of(Tensor timesteps)
    {
        using var scope = NewDisposeScope();
        // One number for all rows may be one place in memory.
        var inOrder = timesteps.to(ScalarType.Float32).contiguous();
        var numbers = new ReadOnlySpan<float>(TensorMemory.Address(inOrder), (int)inOrder.size(0));
        var first = Row(numbers[0]);
        if (numbers[1..].IndexOfAnyExcept(numbers[0]) < 0)
            return first.expand(numbers.Length, -1).MoveToOuterDisposeScope();
        var rows = new Tensor[numbers.Length];
        for (var i = 0; i < rows.Length; i++)
            rows[i] = Row(numbers[i]);
        return cat(rows, 0).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        foreach (var row in _rows.Values)
            row.Dispose();
    }

    Tensor Row(float timestep)
    {
        if (_rows.TryGetValue(timestep, out var known))
            return known;
        using var scope = NewDisposeScope();
        var row = compute(tensor([timestep]));
        if (_rows.Count >= Most)
            return row.MoveToOuterDisposeScope();
        row.DetachFromDisposeScope();
        var kept = _rows.GetOrAdd(timestep, row);
        if (!ReferenceEquals(kept, row))
            row.Dispose();
        return kept;
    }
}

using System.Runtime.InteropServices;
using Taba.Diffusion.Sampling;
using TorchSharp;
using static TorchSharp.torch;

namespace Taba.Diffusion.Engine;

/// <summary>
/// The small tensors that accompany one batch shape: slot numbers, timesteps, coefficients and classes of its rows. Made
/// once per shape and filled anew each turn, with one copy to the device for each kind of number (none on a CPU).
/// </summary>
sealed class BatchBuffers : IDisposable
{
    readonly Tensor _indexHost;
    readonly Tensor _index;
    readonly Tensor _coefficientsHost;
    readonly Tensor _coefficients;
    readonly Tensor _timestepsHost;
    readonly Tensor? _classesHost;
    readonly long[] _slots;
    readonly Dictionary<int, Tensor> _indexPrefixes = [];

    public BatchBuffers(int rows, Device device, bool withClasses)
    {
        Rows = rows;
        _slots = new long[rows];
        Array.Fill(_slots, -1);
        // What outlives a turn belongs to no scope.
        using var scope = NewDisposeScope();
        (_indexHost, _index) = Pair(rows, ScalarType.Int64, device);
        (_coefficientsHost, _coefficients) = Pair((long)DdimCoefficients.Columns * rows, ScalarType.Float64, device);
        Coefficients = _coefficients.view(DdimCoefficients.Columns, rows, 1, 1, 1).DetachFromDisposeScope();
        (_timestepsHost, Timesteps) = Pair(rows, ScalarType.Float32, device);
        if (withClasses)
            (_classesHost, Classes) = Pair(rows, ScalarType.Int64, device);
    }

    /// <summary>B.</summary>
    public int Rows { get; }

    /// <summary>[7,B,1,1,1], float64, as <see cref="DdimUpdate"/> takes them.</summary>
    public Tensor Coefficients { get; }

    /// <summary>[B], float32.</summary>
    public Tensor Timesteps { get; }

    /// <summary>[B], int64; null for an unconditional model.</summary>
    public Tensor? Classes { get; }

    /// <summary>[B], int64: the slots, padding included.</summary>
    public Tensor Index => _index;

    /// <summary>[rows], int64: the slots of the first <paramref name="rows"/> rows.</summary>
    public Tensor IndexOf(int rows)
    {
        if (rows == Rows)
            return _index;
        if (!_indexPrefixes.TryGetValue(rows, out var prefix))
            _indexPrefixes[rows] = prefix = _index.narrow(0, 0, rows).DetachFromDisposeScope();
        return prefix;
    }

    /// <summary>Takes over the slots of <paramref name="rows"/>; padding repeats the first row.</summary>
    public void SetSlots(List<Trajectory> rows)
    {
        var changed = false;
        for (var i = 0; i < Rows; i++)
        {
            long slot = rows[i < rows.Count ? i : 0].Slot;
            changed |= _slots[i] != slot;
            _slots[i] = slot;
        }
        // A group runs through its steps in the same slots: then the index is already on the device.
        if (!changed)
            return;
        _slots.CopyTo(MemoryMarshal.Cast<byte, long>(_indexHost.bytes));
        Upload(_indexHost, _index);
    }

    /// <summary>Takes over coefficients and timesteps, each of as many rows as the shape has.</summary>
    public void SetNumbers(ReadOnlySpan<DdimCoefficients> coefficients, ReadOnlySpan<float> timesteps)
    {
        DdimCoefficients.Pack(coefficients, MemoryMarshal.Cast<byte, double>(_coefficientsHost.bytes));
        Upload(_coefficientsHost, _coefficients);
        timesteps.CopyTo(MemoryMarshal.Cast<byte, float>(_timestepsHost.bytes));
        Upload(_timestepsHost, Timesteps);
    }

    /// <summary>Takes over the classes of <paramref name="rows"/>; padding repeats the first row.</summary>
    /// <param name="rows">Rows of the network.</param>
    /// <param name="guidedFrom">From this row on they are without condition.</param>
    /// <param name="nullClass">The class that says so.</param>
    public void SetClasses(List<Trajectory> rows, int guidedFrom, long? nullClass)
    {
        if (_classesHost is null)
            return;
        var classes = MemoryMarshal.Cast<byte, long>(_classesHost.bytes);
        for (var i = 0; i < Rows; i++)
        {
            var label = rows[i < rows.Count ? i : 0].ClassLabel ?? 0;
            classes[i] = i >= guidedFrom && i < rows.Count ? nullClass ?? label : label;
        }
        Upload(_classesHost, Classes!);
    }

    public void Dispose()
    {
        foreach (var prefix in _indexPrefixes.Values)
            prefix.Dispose();
        Coefficients.Dispose();
        Timesteps.Dispose();
        Classes?.Dispose();
        _index.Dispose();
        _coefficients.Dispose();
        _indexHost.Dispose();
        _coefficientsHost.Dispose();
        _timestepsHost.Dispose();
        _classesHost?.Dispose();
    }

    /// <summary>The same tensor twice on a CPU; elsewhere pinned memory and its image on the device.</summary>
    static (Tensor Host, Tensor Device) Pair(long elements, ScalarType type, Device device)
    {
        var host = zeros(elements, dtype: type);
        if (device.type == DeviceType.CPU)
        {
            host.DetachFromDisposeScope();
            return (host, host);
        }
        return (host.pin_memory().DetachFromDisposeScope(), zeros(elements, dtype: type, device: device).DetachFromDisposeScope());
    }

    static void Upload(Tensor host, Tensor target)
    {
        // Each turn ends by waiting for the device, so the pinned memory is not written again before it was read.
        if (!ReferenceEquals(host, target))
            target.copy_(host, nonBlocking: true);
    }
}

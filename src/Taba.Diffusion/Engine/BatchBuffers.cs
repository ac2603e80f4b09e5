using System.Runtime.InteropServices;
using Taba.Diffusion.Native;
using Taba.Diffusion.Sampling;
using static TorchSharp.torch;

namespace Taba.Diffusion.Engine;

/// <summary>
/// The small tensors that accompany one batch shape: slot numbers, timesteps, step numbers and classes of its rows. Made once per
/// shape and filled anew each turn, with one copy to the device for each kind of number (none on a CPU).
/// </summary>
sealed class BatchBuffers : IDisposable
{
    readonly StagedTensor _index;
    readonly StagedTensor _timesteps;
    readonly StagedTensor? _classes;
    readonly long[] _slots;

    public BatchBuffers(int rows, Device device, ScalarType state, bool withClasses)
    {
        Rows = rows;
        _slots = new long[rows];
        Array.Fill(_slots, -1);
        _index = new StagedTensor([rows], ScalarType.Int64, device);
        _timesteps = new StagedTensor([rows], ScalarType.Float32, device);
        _classes = withClasses ? new StagedTensor([rows], ScalarType.Int64, device) : null;
        Numbers = new BatchNumbers(rows, device, Ddim.Arithmetic(state));
    }

    /// <summary>B.</summary>
    public int Rows { get; }

    /// <summary>The numbers of the rows' steps, for <see cref="Ddim"/>.</summary>
    public BatchNumbers Numbers { get; }

    /// <summary>[B], float32.</summary>
    public Tensor Timesteps => _timesteps.Value;

    /// <summary>[B], int64; null for an unconditional model.</summary>
    public Tensor? Classes => _classes?.Value;

    /// <summary>[B], int64: the slots, padding included.</summary>
    public Tensor Index => _index.Value;

    /// <summary>[rows], int64: the slots of the first <paramref name="rows"/> rows, in the caller's dispose scope.</summary>
    public Tensor IndexOf(int rows) => rows == Rows ? Index : Index.narrow(0, 0, rows);

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
        _slots.CopyTo(MemoryMarshal.Cast<byte, long>(_index.HostBytes));
        _index.Upload();
    }

    /// <summary>Takes over step numbers and timesteps, each of as many rows as the shape has.</summary>
    public void SetNumbers(ReadOnlySpan<StepNumbers> numbers, ReadOnlySpan<float> timesteps)
    {
        Numbers.Set(numbers);
        timesteps.CopyTo(MemoryMarshal.Cast<byte, float>(_timesteps.HostBytes));
        _timesteps.Upload();
    }

    /// <summary>Takes over the classes of <paramref name="rows"/>; padding repeats the first row.</summary>
    /// <param name="rows">Rows of the network.</param>
    /// <param name="guidedFrom">From this row on they are without condition.</param>
    /// <param name="nullClass">The class that says so.</param>
    public void SetClasses(List<Trajectory> rows, int guidedFrom, long? nullClass)
    {
        if (_classes is null)
            return;
        var classes = MemoryMarshal.Cast<byte, long>(_classes.HostBytes);
        for (var i = 0; i < Rows; i++)
        {
            var label = rows[i < rows.Count ? i : 0].ClassLabel ?? 0;
            classes[i] = i >= guidedFrom && i < rows.Count ? nullClass ?? label : label;
        }
        _classes.Upload();
    }

    public void Dispose()
    {
        Numbers.Dispose();
        _classes?.Dispose();
        _timesteps.Dispose();
        _index.Dispose();
    }
}

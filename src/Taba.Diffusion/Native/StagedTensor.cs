using TorchSharp;
using static TorchSharp.torch;

namespace Taba.Diffusion.Native;

/// <summary>
/// A small tensor that the host fills and the device reads: pinned memory and its image on the device, or on a CPU one tensor. Belongs
/// to no dispose scope.
/// </summary>
sealed class StagedTensor : IDisposable
{
    readonly Tensor _host;

    public StagedTensor(long[] shape, ScalarType type, Device device)
    {
        using var scope = NewDisposeScope();
        _host = zeros(shape, dtype: type);
        if (device.type != DeviceType.CPU)
            _host = _host.pin_memory();
        _host.DetachFromDisposeScope();
        Value = device.type == DeviceType.CPU ? _host : zeros(shape, dtype: type, device: device).DetachFromDisposeScope();
    }

    /// <summary>The tensor on the device.</summary>
    public Tensor Value { get; }

    /// <summary>The host's memory; the device sees a change after <see cref="Upload"/>.</summary>
    public Span<byte> HostBytes => _host.bytes;

    /// <summary>
    /// Copies the host's memory to the device, behind what the device has to do already. The host must not write again until that
    /// is done.
    /// </summary>
    public void Upload()
    {
        if (!ReferenceEquals(_host, Value))
            Value.copy_(_host, nonBlocking: true);
    }

    public void Dispose()
    {
        Value.Dispose();
        _host.Dispose();
    }
}

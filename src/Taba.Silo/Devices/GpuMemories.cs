namespace Taba.Silo.Devices;

/// <summary>What NVIDIA's library says of this silo's GPUs; nothing where it is not, and nothing of a processor.</summary>
sealed class GpuMemories(SiloDevices devices)
{
    readonly Lazy<Dictionary<string, NvmlDevice>> _gpus = new(() => devices.Where(d => d.IsCuda)
        .Select(d => (d.Name, Gpu: NvmlDevice.Find(Math.Max(0, d.Device.index)))).Where(d => d.Gpu is not null)
        .ToDictionary(d => d.Name, d => d.Gpu!));

    /// <summary>Those that it knows, by name.</summary>
    public IReadOnlyDictionary<string, NvmlDevice> Gpus => _gpus.Value;

    /// <summary>Bytes of a device's memory; null when nobody says.</summary>
    public (long Total, long Used)? Of(string device) => Gpus.TryGetValue(device, out var gpu) ? gpu.Memory : null;
}

using Taba.Diffusion.Native;
using Taba.Grains;
using static TorchSharp.torch;

namespace Taba.Silo.Devices;

/// <summary>The device that a silo drives, settled once.</summary>
/// <param name="Device">For libtorch.</param>
/// <param name="Kind">What kind of device it is: results are equal bit for bit only on one kind.</param>
public sealed record DeviceChoice(Device Device, string Kind)
{
    const int DefaultCpuBatch = 16;
    const int DefaultCudaBatch = 64;

    public bool IsCuda => Device.type == TorchSharp.DeviceType.CUDA;

    /// <summary>Bytes of memory that the device has: a GPU's own, else what this process may use; 0 when nobody says.</summary>
    public long MemoryBytes => IsCuda ? CudaDriver.TotalMemory(Math.Max(0, Device.index)) : GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;

    /// <summary>The batch size when the user names none.</summary>
    public int DefaultBatchSize => IsCuda ? DefaultCudaBatch : DefaultCpuBatch;

    /// <exception cref="BadInputException">There is no such device.</exception>
    public static DeviceChoice Resolve(string wanted)
    {
        // TorchSharp's types are first used here, and it looks for libtorch only once.
        TorchRuntime.Initialize();
        if (wanted == "cpu")
            return Cpu();
        if (wanted != "auto" && wanted != "cuda" && !wanted.StartsWith("cuda:", StringComparison.Ordinal))
            throw new BadInputException($"device is '{wanted}': it must be auto, cpu, cuda or cuda:N.");
        var available = cuda.is_available() ? cuda.device_count() : 0;
        if (wanted == "auto" && available == 0)
            return Cpu();
        var index = wanted.Contains(':') ? int.Parse(wanted.AsSpan(5)) : 0;
        if (index >= available)
        {
            throw new BadInputException(available == 0
                ? $"device is {wanted}, and libtorch finds no CUDA device here: use --device cpu, or build with -p:TorchBackend=cuda on "
                    + "a machine with a GPU and its driver."
                : $"device is {wanted}, and this machine has {available} CUDA device(s): use cuda:0 to cuda:{available - 1}.");
        }
        return new(new Device($"cuda:{index}"), "cuda");
    }

    static DeviceChoice Cpu() => new(CPU, "cpu");
}

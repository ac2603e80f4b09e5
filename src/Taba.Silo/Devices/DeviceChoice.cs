using Taba.Diffusion.Engine;
using static TorchSharp.torch;

namespace Taba.Silo.Devices;

/// <summary>A device that a silo drives.</summary>
/// <param name="Device">For libtorch.</param>
/// <param name="Kind">What kind of device it is, cpu or cuda: results are equal bit for bit only on one kind.</param>
public sealed record DeviceChoice(Device Device, string Kind)
{
    const int DefaultCpuBatch = 16;
    const int DefaultCudaBatch = 64;
    const int MostCudaBatch = 512;

    /// <summary>Bytes of the states of a batch that the device chooses, at most: networks of larger ones are busy before.</summary>
    const long MostBatchBytes = 64L << 20;

    /// <summary>Its name on this machine: cpu, cpu:1, cuda:0.</summary>
    public string Name { get; init; } = Kind;

    /// <summary>Devices among which the processor is shared, 1 or more. A GPU is not shared.</summary>
    public int Shares { get; init; } = 1;

    /// <summary>Threads of the processor for its engines; null leaves it to libtorch.</summary>
    public int? Threads { get; init; }

    public bool IsCuda => Device.type == TorchSharp.DeviceType.CUDA;

    /// <summary>The name under which speeds are remembered: a share of a processor is slower than all of it.</summary>
    public string SpeedName => Shares == 1 ? Kind : $"{Kind}/{Shares}";

    /// <summary>Bytes of memory that the device has: a GPU's own, else what this process may use; 0 when nobody says.</summary>
    public long MemoryBytes => IsCuda ? CudaDriver.TotalMemory(Math.Max(0, Device.index)) : GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;

    /// <summary>The batch size when the user names none.</summary>
    public int DefaultBatchSize => IsCuda ? DefaultCudaBatch : DefaultCpuBatch;

    /// <summary>
    /// The batch sizes to choose from when the user names none. A pass of a few rows keeps a GPU as busy as one of one row.
    /// </summary>
    /// <param name="rowBytes">Bytes of a float32 row of the state.</param>
    public BatchRange BatchesOf(long rowBytes)
    {
        var range = IsCuda
            ? new BatchRange(DefaultCudaBatch, Least: 16, MostCudaBatch, First: 16, TimeSpan.Zero, Budget: TimeSpan.FromSeconds(3))
            : new(DefaultCpuBatch, Least: 4, Most: 64, First: 1, TimeSpan.FromMilliseconds(5), Budget: TimeSpan.FromSeconds(1.5));
        return range with { Most = (int)Math.Clamp(MostBatchBytes / rowBytes, range.Default, range.Most) };
    }

    /// <summary>The most rows of a pass that any device chooses when the user names none.</summary>
    /// <inheritdoc cref="BatchesOf" path="/param"/>
    public static int MostBatchOf(long rowBytes) => (int)Math.Clamp(MostBatchBytes / rowBytes, DefaultCudaBatch, MostCudaBatch);

    /// <summary>
    /// Threads of the processor for an engine on this device; null leaves it to libtorch. Where bits count, it is one: they depend on the
    /// number, and one is what every share of every processor has.
    /// </summary>
    /// <param name="bitsCount">The numbers must be the same bit for bit on each device of this kind.</param>
    public int? ThreadsOf(bool bitsCount) => bitsCount && !IsCuda ? 1 : Threads;
}

using System.Collections;
using System.Globalization;
using Taba.Diffusion.Native;
using Taba.Grains;
using static TorchSharp.torch;

namespace Taba.Silo.Devices;

/// <summary>
/// The devices that a silo drives, settled once: GPUs, or shares of the processor (docs/design/devices.md). All are of one kind, because
/// numbers depend on the kind.
/// </summary>
public sealed class SiloDevices : IReadOnlyList<DeviceChoice>
{
    /// <summary>What a device may be, for help and refusals.</summary>
    public const string Expected = "auto, all, cpu, cuda, or a list such as cuda:0,cuda:1";

    readonly DeviceChoice[] _devices;

    SiloDevices(DeviceChoice[] devices) => _devices = devices;

    public int Count => _devices.Length;

    public DeviceChoice this[int index] => _devices[index];

    /// <summary>The kind of all of them.</summary>
    public string Kind => _devices[0].Kind;

    public bool IsCuda => _devices[0].IsCuda;

    /// <summary>The batch size of a device when the user names none.</summary>
    public int DefaultBatchSize => _devices[0].DefaultBatchSize;

    /// <summary>Bytes of memory of one of them; 0 when nobody says.</summary>
    public long MemoryBytes => _devices[0].MemoryBytes;

    public IEnumerator<DeviceChoice> GetEnumerator() => ((IEnumerable<DeviceChoice>)_devices).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>Their names, or how many there are.</summary>
    public override string ToString() => Count == 1 ? _devices[0].Name : $"{Count} devices, {_devices[0].Name} to {_devices[^1].Name}";

    /// <summary>Finds devices.</summary>
    /// <param name="wanted">
    /// auto, all, cpu, cuda, a device such as cuda:1, or several with commas between them. auto and all mean GPUs where there are any.
    /// </param>
    /// <param name="count">
    /// The first so many of the kind, or of those that are named; null is one of a kind, and all that are named.
    /// </param>
    /// <exception cref="BadInputException">There are no such devices.</exception>
    public static SiloDevices Resolve(string wanted, int? count = null)
    {
        // TorchSharp's types are first used here, and it looks for libtorch only once.
        TorchRuntime.Initialize();
        var gpus = cuda.is_available() ? cuda.device_count() : 0;
        return Resolve(wanted, count, gpus, Environment.ProcessorCount);
    }

    /// <param name="gpus">CUDA devices of this machine.</param>
    /// <param name="cores">Processors that this process may use.</param>
    internal static SiloDevices Resolve(string wanted, int? count, int gpus, int cores)
    {
        if (count < 1)
            throw new BadInputException($"num_processes is {count}: it must be at least 1.");
        var names = wanted.Split(',', StringSplitOptions.TrimEntries);
        var kind = KindOf(names, gpus, wanted);
        var there = kind == "cuda" ? gpus : cores;
        var indices = names switch
        {
            ["all"] => [.. Enumerable.Range(0, there)],
            ["auto" or "cpu" or "cuda"] => [.. Enumerable.Range(0, count ?? 1)],
            _ => Listed(names, wanted),
        };
        if (count > indices.Count)
            throw new BadInputException(
                $"num_processes is {count}, and device {wanted} is {indices.Count} {Devices(indices.Count)}: name more of them, or leave "
                + "num_processes out.");
        indices = [.. indices.Take(count ?? indices.Count)];
        if (indices.Max() >= there)
            throw Missing(kind, there, count is null ? $"device is {wanted}" : $"num_processes is {count}");
        // One device that nobody numbered is the whole processor.
        var whole = kind == "cpu" && indices.Count == 1 && names[0] is "auto" or "all" or "cpu";
        return new([.. indices.Select((index, i) => kind == "cuda" ? Gpu(index) : whole ? Cpu() : Share(index, i, indices.Count))]);
    }

    static string KindOf(string[] names, int gpus, string wanted)
    {
        if (names is ["auto" or "all"])
            return gpus > 0 ? "cuda" : "cpu";
        var kinds = names.Select(name => name.Split(':')[0]).Distinct().ToList();
        return kinds switch
        {
            ["cpu"] or ["cuda"] => kinds[0],
            ["cpu", "cuda"] or ["cuda", "cpu"] => throw new BadInputException(
                $"device is '{wanted}': devices of one silo are of one kind, because numbers depend on it."),
            _ => throw new BadInputException($"device is '{wanted}': it must be {Expected}."),
        };
    }

    static List<int> Listed(string[] names, string wanted)
    {
        var indices = new List<int>();
        foreach (var name in names)
        {
            if (name.Split(':') is not [_, var text] || !int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var index))
                throw new BadInputException($"device is '{wanted}': it must be {Expected}.");
            if (indices.Contains(index))
                throw new BadInputException($"device is '{wanted}': {name} stands there twice.");
            indices.Add(index);
        }
        return indices;
    }

    static BadInputException Missing(string kind, int there, string asked) => new((kind, there) switch
    {
        ("cuda", 0) =>
            $"{asked}, and libtorch finds no CUDA device here: use --device cpu, or build with -p:TorchBackend=cuda on a machine with a "
            + "GPU and its driver.",
        ("cuda", _) => $"{asked}, and this machine has {there} CUDA {Devices(there)}: cuda:0 to cuda:{there - 1}.",
        _ => $"{asked}, and this process may use {there} {(there == 1 ? "core" : "cores")}: a share of the processor has at least one.",
    });

    static string Devices(int count) => count == 1 ? "device" : "devices";

    static DeviceChoice Gpu(int index) => new(new Device($"cuda:{index}"), "cuda") { Name = $"cuda:{index}" };

    static DeviceChoice Cpu() => new(CPU, "cpu");

    /// <summary>The cores are dealt out; where there are fewer threads than shares (OMP_NUM_THREADS), each has one all the same.</summary>
    static DeviceChoice Share(int index, int place, int shares)
    {
        var (each, rest) = Math.DivRem(ProcessorThreads.Default, shares);
        return new(CPU, "cpu")
        {
            Name = $"cpu:{index}", Shares = shares, Threads = Math.Max(1, each + (place < rest ? 1 : 0)),
        };
    }
}

using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using Taba.Grains.Words;
using Taba.Diffusion.Native;
using Taba.Storage.Manifests;
using Taba.Storage.Objects;

namespace Taba.Client.Doctor;

/// <summary>Looks at the machine.</summary>
static class Examination
{
    const double SmallMemory = 2L << 30;
    const double SmallDisk = 1L << 30;

    public static IEnumerable<Finding> All(string folder)
    {
        var torch = Torch();
        yield return torch;
        yield return Processor();
        if (torch.State == FindingState.Ok)
            yield return Cuda();
        yield return Memory();
        yield return Disk(folder);
        yield return Files(OpenFiles.Most);
    }

    internal static Finding Files(long? most)
    {
        const string name = "open files";
        return OpenFiles.Lack(OpenFiles.ToCompute, most) is null
            ? new(FindingState.Ok, name, most is { } limit ? $"{Quantities.Count(limit)} at a time" : "without a limit")
            : new(FindingState.Fail, name, $"{most} at a time", $"a run needs {OpenFiles.ToCompute}: ulimit -n {OpenFiles.ToCompute}");
    }

    static Finding Torch()
    {
        try
        {
            TorchRuntime.Initialize();
            using var scope = TorchSharp.torch.NewDisposeScope();
            var sum = TorchSharp.torch.ones(3).sum().item<float>();
            return new(
                FindingState.Ok, "libtorch",
                $"{TorchSharp.torch.__version__} loads and adds ({sum.ToString(CultureInfo.InvariantCulture)}), "
                + $"{TorchSharp.torch.get_num_threads()} threads");
        }
        catch (Exception e)
        {
            return new(FindingState.Fail, "libtorch", "does not load", (e.InnerException ?? e).Message);
        }
    }

    static Finding Processor()
    {
        var features =
            new (string Name, bool Present)[] { ("AVX2", Avx2.IsSupported), ("AVX-512", Avx512F.IsSupported), ("bf16", HasBfloat16()) };
        var present = string.Join(", ", features.Where(f => f.Present).Select(f => f.Name).DefaultIfEmpty("no vector extensions"));
        var found = $"{RuntimeInformation.ProcessArchitecture}, {Environment.ProcessorCount} cores, {present}";
        return Avx2.IsSupported
            ? new(FindingState.Ok, "processor", found)
            : new(FindingState.Note, "processor", found, "without AVX2 noise may differ from published numbers by 2e-6");
    }

    /// <summary>AVX-512 BF16 or AMX: what makes bfloat16 faster than float32 on a processor. The kernel lists them.</summary>
    static bool HasBfloat16()
    {
        const string CpuInfo = "/proc/cpuinfo";
        if (!File.Exists(CpuInfo))
            return false;
        var flags = File.ReadLines(CpuInfo).FirstOrDefault(l => l.StartsWith("flags", StringComparison.Ordinal)) ?? "";
        return flags.Contains("avx512_bf16", StringComparison.Ordinal) || flags.Contains("amx_bf16", StringComparison.Ordinal);
    }

    static Finding Cuda()
    {
        if (!TorchSharp.torch.cuda.is_available())
            return new(
                FindingState.Note, "cuda", "no device",
                "runs use the processor; for a GPU build with -p:TorchBackend=cuda where its driver is installed");
        return new(FindingState.Ok, "cuda", $"{TorchSharp.torch.cuda.device_count()} devices");
    }

    static Finding Memory()
    {
        var available = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        var found = $"{Quantities.Bytes(available)} for this process";
        return available < SmallMemory
            ? new(FindingState.Note, "memory", found, "large models may not fit: choose a smaller one, or lift the container's limit")
            : new(FindingState.Ok, "memory", found);
    }

    static Finding Disk(string folder)
    {
        if (DiskSpace.Available(folder) is not { } free)
            return new(FindingState.Note, "disk", $"the free space of {Path.GetFullPath(folder)} is unknown");
        var found = $"{Quantities.Bytes(free)} free for {Path.GetFullPath(folder)}";
        return free < SmallDisk
            ? new(FindingState.Note, "disk", found, "little room: choose another folder with --out")
            : new(FindingState.Ok, "disk", found);
    }
}

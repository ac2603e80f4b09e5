using System.Globalization;
using Taba.Diffusion.Tensors;
using Taba.Diffusion.Weights;
using Taba.Testing;
using static TorchSharp.torch;

namespace Taba.Diffusion.Tests.Weights;

/// <summary>Memory is the process's: these run while no other test does.</summary>
[CollectionDefinition(nameof(WeightsMemoryTests), DisableParallelization = true)]
public sealed class WeightsMemoryCollection;

[Collection(nameof(WeightsMemoryTests))]
public sealed class WeightsMemoryTests
{
    [Fact]
    public void Load_LargeTensor_GivesMappedPagesBack()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Reads /proc/self/status.");
        const long Megabyte = 1 << 20, FileBytes = 192 * Megabyte;
        using var folder = new TempFolder();
        var path = folder.At("w");
        using (var writer = TensorFileWriter.Create(path, TensorFormat.Safetensors, "w", ScalarType.Float16, [FileBytes / 2]))
        {
            writer.WriteZeros(FileBytes);
            writer.Complete();
        }

        using var weights = WeightsFile.Open(path);
        zeros(1).Dispose(); // libtorch is mapped too
        var before = MappedBytes();
        using var tensor = weights.Load("w", ScalarType.BFloat16, CPU);

        // Kept pages would be all of the file.
        Assert.InRange(MappedBytes() - before, long.MinValue, FileBytes / 2);
    }

    [Fact]
    public void Load_ShardAfterShard_TakesTheTensorsAndLittleMore()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Reads /proc/self/status.");
        const int Shards = 4;
        const long Megabyte = 1 << 20, ShardBytes = 64 * Megabyte, Total = Shards * ShardBytes / 2; // float32 in the files, bfloat16 wanted
        using var folder = new ComponentFolder();
        for (var i = 0; i < Shards; i++)
        {
            using var writer = TensorFileWriter.Create(
                folder.At($"model-{i}-of-{Shards}.safetensors"), TensorFormat.Safetensors, $"w{i}", ScalarType.Float32, [ShardBytes / 4]);
            writer.WriteZeros(ShardBytes);
            writer.Complete();
        }

        folder.Index(
            "model.safetensors.index.json", [.. Enumerable.Range(0, Shards).Select(i => ($"w{i}", $"model-{i}-of-{Shards}.safetensors"))]);
        zeros(1).Dispose();
        var (anonymous, mapped) = (Resident("RssAnon"), MappedBytes());
        using var weights = DiffusersWeights.Open(folder.Path);
        using var scope = NewDisposeScope();
        for (var i = 0; i < Shards; i++)
        {
            weights.Load($"w{i}", ScalarType.BFloat16, CPU);
            Assert.InRange(Resident("RssAnon") - anonymous, long.MinValue, (long)(1.15 * Total));
            Assert.InRange(MappedBytes() - mapped, long.MinValue, ShardBytes / 2);
        }
    }

    [Fact]
    public void Load_EveryTensorManyTimes_KeepsNone()
    {
        using var weights = DiffusersWeights.Open(Fixtures.At("models/dit_tiny/vae"));
        Assert.Contains(weights.Names, name => name.EndsWith("to_out.0.weight", StringComparison.Ordinal));
        var before = Tensor.TotalCount;
        for (var round = 0; round < 3; round++)
        {
            foreach (var name in weights.Names)
                weights.Load(name, ScalarType.BFloat16, CPU).Dispose();
        }

        Assert.Equal(before, Tensor.TotalCount);
    }

    static long MappedBytes() => Resident("RssFile");

    static long Resident(string field)
    {
        var line = File.ReadLines("/proc/self/status").First(line => line.StartsWith(field + ":", StringComparison.Ordinal));
        return 1024 * long.Parse(line.Split(':')[1].Replace("kB", "", StringComparison.Ordinal), NumberStyles.AllowLeadingWhite
            | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture);
    }
}

using System.Globalization;
using Taba.Diffusion.Tensors;
using Taba.Diffusion.Weights;
using Taba.Testing;
using static TorchSharp.torch;

namespace Taba.Diffusion.Tests.Weights;

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

        // Other tests map files too, but small ones; kept pages would be all of the file.
        Assert.InRange(MappedBytes() - before, long.MinValue, FileBytes / 2);
    }

    static long MappedBytes()
    {
        var line = File.ReadLines("/proc/self/status").First(line => line.StartsWith("RssFile:", StringComparison.Ordinal));
        return 1024 * long.Parse(line.Split(':')[1].Replace("kB", "", StringComparison.Ordinal), NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture);
    }
}

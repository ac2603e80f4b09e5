using System.Runtime.InteropServices;
using Taba.Diffusion.Models.Features;
using Taba.Diffusion.Tensors;
using Taba.Diffusion.Weights;
using static TorchSharp.torch;

namespace Taba.Diffusion.Metrics.Pictures;

/// <summary>
/// Mean and covariance of Inception's features of a set whose pictures one need not have: numpy's archive of <c>mu</c> and <c>sigma</c>, as
/// guided-diffusion and clean-fid publish them.
/// </summary>
public sealed class FeatureStatistics
{
    const string MeanEntry = "mu.npy";
    const string CovarianceEntry = "sigma.npy";

    readonly double[] _mean;
    readonly double[] _covariance;

    FeatureStatistics(double[] mean, double[] covariance) => (_mean, _covariance) = (mean, covariance);

    /// <summary>[2048].</summary>
    public ReadOnlySpan<double> Mean => _mean;

    /// <summary>[2048,2048], row-major.</summary>
    public ReadOnlySpan<double> Covariance => _covariance;

    /// <summary>Reads the archive.</summary>
    /// <exception cref="WeightsFormatException">It is damaged or hostile, or its arrays are of other features.</exception>
    /// <exception cref="IOException">It is absent or cannot be read.</exception>
    public static FeatureStatistics Open(string path)
    {
        using var file = SourceFile.Open(path);
        var entries = ZipDirectory.Read(file);
        const int D = InceptionFeatures.Width;
        return new(Array(file, entries, MeanEntry, [D]), Array(file, entries, CovarianceEntry, [D, D]));
    }

    static double[] Array(SourceFile file, Dictionary<string, ZipEntry> entries, string name, long[] shape)
    {
        if (!entries.TryGetValue(name, out var entry))
            throw file.Fault($"it has no {name}: the statistics of a reference are an archive of mu and sigma.");
        using var array = TensorFile.Open(
            $"{file.Path}/{name}", entry.Length, (offset, destination) => file.ReadExactly(entry.Offset + offset, destination, name));
        var reader = array.Single(name);
        if (!reader.Shape.SequenceEqual(shape))
        {
            throw file.Fault(
                $"its {name} is [{string.Join(",", reader.Shape)}], and Inception's features need [{string.Join(",", shape)}].");
        }

        var bytes = new byte[reader.ByteCount];
        reader.ReadRows(0, reader.Rows, bytes);
        return reader.Dtype switch
        {
            ScalarType.Float64 => MemoryMarshal.Cast<byte, double>(bytes).ToArray(),
            ScalarType.Float32 => [.. MemoryMarshal.Cast<byte, float>(bytes).ToArray().Select(value => (double)value)],
            var other => throw file.Fault($"its {name} holds {other}, not floating-point numbers."),
        };
    }
}

using Taba.Client.Folders;
using Taba.Client.Reports;
using Taba.Diffusion.Tensors;
using Taba.Silo.Outputs;
using static TorchSharp.torch;

namespace Taba.Client.Comparing;

/// <summary>How far two tensors of one name lie apart, over the rows that both have.</summary>
/// <param name="Rows">Samples that were compared.</param>
/// <param name="Largest">Largest absolute difference; NaN when one of the values is none.</param>
/// <param name="Mean">Mean absolute difference.</param>
/// <param name="Sample">The sample of the largest.</param>
sealed record TensorDifference(string Name, int Rows, double Largest, double Mean, int Sample)
{
    /// <summary>Of every tensor that both have with the same shape of a row; those of steps are left to who loads them.</summary>
    /// <exception cref="Taba.Diffusion.Weights.WeightsFormatException">A file is damaged or hostile.</exception>
    public static IEnumerable<TensorDifference> Of(ReportRun a, ReportRun b, CancellationToken cancellationToken) =>
        a.Manifest.Tensors.Where(t => t.Steps.IsEmpty)
            .Join(b.Manifest.Tensors.Where(t => t.Steps.IsEmpty), t => t.Name, t => t.Name, (x, y) => Of(a, x, b, y, cancellationToken))
            .OfType<TensorDifference>();

    static TensorDifference? Of(ReportRun a, RunFile fileA, ReportRun b, RunFile fileB, CancellationToken cancellationToken)
    {
        if (!fileA.Shape.Skip(1).SequenceEqual(fileB.Shape.Skip(1))
            || PathOf(a, fileA) is not { } pathA || PathOf(b, fileB) is not { } pathB)
            return null;
        var (start, end) = (Math.Max(a.Manifest.RowStart, b.Manifest.RowStart), Math.Min(a.Manifest.RowEnd, b.Manifest.RowEnd));
        if (start >= end)
            return null;
        using var openA = TensorFile.Open(pathA);
        using var openB = TensorFile.Open(pathB);
        var (left, right) = (openA.Single(fileA.Name), openB.Single(fileB.Name));
        if (!IsReal(left) || !IsReal(right))
            return null;
        var (largest, sum, count, sample) = (0.0, 0.0, 0L, start);
        for (var row = start; row < end; row++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var x = FloatReader.Rows(left, row - a.Manifest.RowStart, 1);
            var y = FloatReader.Rows(right, row - b.Manifest.RowStart, 1);
            for (var i = 0; i < x.Length; i++)
            {
                var difference = Math.Abs((double)x[i] - y[i]);
                sum += difference;
                if (difference > largest || (double.IsNaN(difference) && !double.IsNaN(largest)))
                    (largest, sample) = (difference, row);
            }
            count += x.Length;
        }
        return new(fileA.Name, end - start, largest, sum / Math.Max(1, count), sample);
    }

    static bool IsReal(TensorReader tensor) =>
        tensor.Dtype is ScalarType.Float32 or ScalarType.Float16 or ScalarType.BFloat16 or ScalarType.Float64;

    static string? PathOf(ReportRun run, RunFile file) => run.Folder.LocalPath(Path.GetFileName(file.File)) is { } path && File.Exists(path)
        ? path
        : null;
}

using Taba.Diffusion.Metrics.Sums;

namespace Taba.Diffusion.Metrics.PlainAreas;

/// <summary>What is kept of one area of two tensors. A value to be kept in a field and changed in place.</summary>
struct AreaSums
{
    double _absolute;
    RunningMoments _predicted;
    RunningMoments _true;

    internal readonly long Values => _true.Count;

    internal readonly AreaErrors Value => new(Values, _absolute / Values, _predicted.PopulationStd, _true.PopulationStd);

    /// <summary>Takes in the values of one row's pixels that are in the area.</summary>
    /// <param name="predicted">[C,H,W]</param>
    /// <param name="truth">[C,H,W]</param>
    /// <param name="plain">[H,W]</param>
    /// <param name="wanted">Which pixels are in the area.</param>
    /// <param name="pixels">Their number.</param>
    internal void Add(ReadOnlySpan<float> predicted, ReadOnlySpan<float> truth, ReadOnlySpan<bool> plain, bool wanted, int pixels)
    {
        if (pixels == 0)
            return;

        // First the means of this row, then differences from them: nothing is lost where the mean is large beside the spread.
        var count = (double)pixels * (predicted.Length / plain.Length);
        var (sumPredicted, sumTrue) = (0.0, 0.0);
        for (var at = 0; at < predicted.Length; at += plain.Length)
        {
            for (var i = 0; i < plain.Length; i++)
            {
                if (plain[i] != wanted)
                    continue;
                double p = predicted[at + i], t = truth[at + i];
                sumPredicted += p;
                sumTrue += t;
                _absolute += Math.Abs(p - t);
            }
        }

        var (meanPredicted, meanTrue) = (sumPredicted / count, sumTrue / count);
        var (squaresPredicted, squaresTrue) = (0.0, 0.0);
        for (var at = 0; at < predicted.Length; at += plain.Length)
        {
            for (var i = 0; i < plain.Length; i++)
            {
                if (plain[i] != wanted)
                    continue;
                var (p, t) = (predicted[at + i] - meanPredicted, truth[at + i] - meanTrue);
                squaresPredicted += p * p;
                squaresTrue += t * t;
            }
        }

        _predicted.Merge((long)count, meanPredicted, squaresPredicted);
        _true.Merge((long)count, meanTrue, squaresTrue);
    }

    internal void Merge(AreaSums later)
    {
        _absolute += later._absolute;
        _predicted.Merge(later._predicted);
        _true.Merge(later._true);
    }

    internal readonly void Write(BinaryWriter writer)
    {
        writer.Write(_absolute);
        _predicted.Write(writer);
        _true.Write(writer);
    }

    internal static AreaSums Read(BinaryReader reader) =>
        new() { _absolute = reader.ReadDouble(), _predicted = RunningMoments.Read(reader), _true = RunningMoments.Read(reader) };
}

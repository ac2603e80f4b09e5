using System.Diagnostics;
using Taba.Diffusion.Metrics.Analyses;
using Taba.Grains.Stages;
using Taba.Silo.Rows;
using Taba.Storage.Manifests;
using Taba.Storage.Objects;

namespace Taba.Silo.Measuring;

/// <summary>Measures blocks of runs: what analyses keep of their rows (docs/design/measuring.md).</summary>
sealed class BlockMeasurer(TensorStore store, NoiseSources noise)
{
    /// <summary>Measures the block of a part.</summary>
    /// <returns>What was kept, and how long it took.</returns>
    /// <exception cref="DamagedRowsException">Rows of a stage are not there, or damaged.</exception>
    public async Task<(byte[] Sums, TimeSpan Took)> MeasureAsync(PartLease lease, CancellationToken cancellationToken)
    {
        var clock = Stopwatch.StartNew();
        var measure = lease.Spec.Measure!;
        var block = measure.RowsOf(lease.Rows.Start);
        using var run = await StoredRun.OpenAsync(
            lease.Spec.Model, measure, measure.Needs(lease.Rows.Start), store, noise, cancellationToken);
        var first = block.Start - measure.Rows.Start;
        using var analyses = new AnalysisSet(measure.Analyses, run, first);
        analyses.Measure(first, block.Count, cancellationToken);
        using var bytes = new MemoryStream();
        using (var writer = new BinaryWriter(bytes))
            analyses.Write(writer);
        return (bytes.ToArray(), clock.Elapsed);
    }
}

using System.Diagnostics;
using Taba.Diffusion.Metrics.Analyses;
using Taba.Grains.Stages;
using Taba.Silo.Rows;
using Taba.Storage.Manifests;
using Taba.Storage.Objects;

namespace Taba.Silo.Measuring;

/// <summary>Measures blocks of runs: what analyses keep of their rows (docs/design/measuring.md).</summary>
sealed class BlockMeasurer(TensorStore store, NoiseSources noise) : IDisposable
{
    /// <summary>One at a time: the covariances of large pictures take gigabytes.</summary>
    readonly SemaphoreSlim _alone = new(1);

    /// <summary>Measures the block of a part.</summary>
    /// <returns>What was kept, and how long it took.</returns>
    /// <exception cref="DamagedRowsException">Rows of a stage are not there, or damaged.</exception>
    public async Task<(ReadOnlyMemory<byte> Sums, TimeSpan Took)> MeasureAsync(PartLease lease, CancellationToken cancellationToken)
    {
        await _alone.WaitAsync(cancellationToken);
        try
        {
            return await MeasureAloneAsync(lease, cancellationToken);
        }
        finally
        {
            _alone.Release();
        }
    }

    public void Dispose() => _alone.Dispose();

    async Task<(ReadOnlyMemory<byte> Sums, TimeSpan Took)> MeasureAloneAsync(PartLease lease, CancellationToken cancellationToken)
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
        using var writer = new BinaryWriter(bytes);
        analyses.Write(writer);
        writer.Flush();
        return (bytes.GetBuffer().AsMemory(0, (int)bytes.Length), clock.Elapsed);
    }
}

using System.Diagnostics;
using Taba.Diffusion.Metrics.Analyses;
using Taba.Diffusion.Metrics.Pictures;
using Taba.Grains.Stages;
using Taba.Silo.Devices;
using Taba.Silo.Rows;
using Taba.Storage.Manifests;
using Taba.Storage.Objects;

namespace Taba.Silo.Measuring;

/// <summary>Measures blocks of runs: what analyses keep of their rows (docs/design/measuring.md).</summary>
sealed class BlockMeasurer : IDisposable
{
    /// <summary>Networks that nobody wants for so long leave: they take gigabytes.</summary>
    static readonly TimeSpan s_idle = TimeSpan.FromMinutes(1);

    /// <summary>One at a time: the covariances of large pictures take gigabytes.</summary>
    readonly SemaphoreSlim _alone = new(1);
    readonly TensorStore _store;
    readonly NoiseSources _noise;
    readonly HeldNetworks _networks;
    readonly ITimer _idle;

    public BlockMeasurer(TensorStore store, NoiseSources noise, SiloDevices devices, TimeProvider time)
    {
        (_store, _noise, _networks) = (store, noise, new(devices));
        _idle = time.CreateTimer(_ => LetGo(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>The device that measures a part.</summary>
    public string DeviceOf(MeasureSetting measure) => measure.Features.IsDefaultOrEmpty ? "cpu" : _networks.Device;

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
            _idle.Change(s_idle, Timeout.InfiniteTimeSpan);
        }
    }

    public void Dispose()
    {
        _idle.Dispose();
        // A block that is being measured ends before its networks do.
        _alone.Wait();
        _networks.Dispose();
        _alone.Dispose();
    }

    async Task<(ReadOnlyMemory<byte> Sums, TimeSpan Took)> MeasureAloneAsync(PartLease lease, CancellationToken cancellationToken)
    {
        var clock = Stopwatch.StartNew();
        var measure = lease.Spec.Measure!;
        using var bytes = new MemoryStream();
        using var writer = new BinaryWriter(bytes);
        var block = measure.RowsOf(lease.Rows.Start);
        var first = block.Start - measure.Rows.Start;
        if (measure.IsOfReference)
        {
            using var pictures = GivenPictures.Open(measure.Tensors[0].Rows, measure.Tensors[0].Shape);
            Keep(pictures, block.Start);
        }
        else
        {
            using var run = await StoredRun.OpenAsync(
                lease.Spec.Model, measure, measure.Needs(lease.Rows.Start), _store, _noise, cancellationToken);
            if (measure.KeepsFeatures)
                Keep(PicturesOf(run), first);
            else if (measure.Features.IsDefaultOrEmpty)
                Measure(new AnalysisSet(measure.Analyses, run, first));
            else
                _networks.Use(measure.Features, lease.Spec.Determinism is not null, settings => Measure(new AnalysisSet(
                    PictureAnalyses.With(settings).Where(a => measure.Analyses.Contains(a.Name))
                        .OrderBy(a => a.Name, StringComparer.Ordinal), run, first)));
        }
        writer.Flush();
        return (bytes.GetBuffer().AsMemory(0, (int)bytes.Length), clock.Elapsed);

        bool Measure(AnalysisSet analyses)
        {
            using (analyses)
            {
                analyses.Measure(first, block.Count, cancellationToken);
                analyses.Write(writer);
            }
            return true;
        }

        void Keep(IPictures pictures, long from) => _networks.Use(
            measure.Features, lease.Spec.Determinism is not null, settings =>
            {
                using var features = settings.FeaturesOf(
                    FeatureNetworks.Of(measure.Features[0].Network), pictures, from, block.Count, cancellationToken);
                features.Write(writer);
                return true;
            });
    }

    static TensorPictures PicturesOf(StoredRun run)
    {
        var images = run.Tensor(TensorRole.Images)!;
        return new(images.Identity, images, images.Shape, rounded: false);
    }

    /// <summary>Unless a block is being measured, after which this comes again.</summary>
    void LetGo()
    {
        try
        {
            if (!_alone.Wait(0))
                return;
        }
        catch (ObjectDisposedException)
        {
            // A timer that ends may fire once more.
            return;
        }
        try
        {
            _networks.Dispose();
        }
        finally
        {
            _alone.Release();
        }
    }
}

using Taba.Diffusion.Engine;
using Taba.Diffusion.Metrics;
using Taba.Diffusion.Metrics.Analyses;
using Taba.Diffusion.Metrics.Experiments;
using Taba.Diffusion.Metrics.Pictures;
using Taba.Diffusion.Weights;
using Taba.Grains.Sweeps;
using Taba.Silo.Measuring;
using Taba.Storage.Manifests;
using Taba.Storage.Objects;

namespace Taba.Silo.Outputs;

/// <summary>
/// Networks that measure runs here: what no stage has measured. Features that stages have kept are put together; a reference's serve all
/// runs.
/// </summary>
/// <param name="planned">What a sweep names; the same for all its runs.</param>
/// <param name="pass">Where networks run.</param>
sealed class RunPictures(PlannedPictures planned, PicturePass pass) : IDisposable
{
    readonly GivenPictures? _reference = planned.Reference is { Rows: { } rows, Shape: var shape }
        ? Guard(planned, () => GivenPictures.Open(rows, shape))
        : null;

    PictureSettings? _settings;

    /// <summary>The analyses of pictures, in the order in which blocks hold them.</summary>
    public IReadOnlyList<Analysis> Analyses => PictureAnalyses.With(Settings);

    /// <summary>Whether a run is measured by the same networks, and compared with the same reference.</summary>
    public bool Serves(PlannedPictures other) =>
        planned.Features.SequenceEqual(other.Features) && planned.Reference == other.Reference;

    PictureSettings Settings => _settings ??= new(
        new(planned.Features.ToDictionary(f => FeatureNetworks.Of(f.Network), f => f.Path)), pass)
    {
        Reference = _reference,
        Statistics = planned.Reference is { Rows: null } statistics
            ? Guard(planned, () => FeatureStatistics.Open(statistics.Path))
            : null,
    };

    /// <summary>Takes the features that stages have kept of a run's pictures and of the reference's.</summary>
    /// <param name="run">What is planned for the run.</param>
    /// <param name="images">The run's pictures; null when rows of them failed, so that features of all are not theirs.</param>
    /// <param name="store">Where the stages' results are.</param>
    /// <param name="cancellationToken">Stops between blocks.</param>
    /// <exception cref="DamagedRowsException">A block cannot be read.</exception>
    public async Task TakeAsync(PlannedPictures run, IMetricRows? images, TensorStore store, CancellationToken cancellationToken)
    {
        foreach (var stage in run.Stages)
        {
            IPictures? pictures = stage.OfReference ? _reference : images is null ? null : new TensorPictures(
                images.Identity, images, images.Shape, rounded: false);
            var network = FeatureNetworks.Of(stage.Network);
            if (pictures is not null && !Settings.Knows(network, pictures)
                && await FeaturesAsync(network, stage.Key, store, cancellationToken) is { } features)
            {
                if (features.Rows == pictures.Count)
                    Settings.Remember(network, pictures, features);
                else
                    features.Dispose();
            }
        }
    }

    /// <summary>Makes an analysis here; null where the run lacks what it needs.</summary>
    /// <exception cref="StoreException">Weights or the reference are gone, or the network does not fit the device.</exception>
    public ExperimentNumbers? Measure(string name, IRunTensors run, CancellationToken cancellationToken) =>
        Analyses.FirstOrDefault(a => a.Name == name) is { } analysis && analysis.WhyNot(run) is null
            ? Guard(planned, () => analysis.Measure(run, cancellationToken))
            : null;

    public void Dispose()
    {
        _settings?.Dispose();
        _reference?.Dispose();
    }

    /// <summary>Puts blocks together; null when one is missing, or was written by another version.</summary>
    static async Task<SpooledFeatures?> FeaturesAsync(
        FeatureNetwork network, string key, TensorStore store, CancellationToken cancellationToken)
    {
        var features = new SpooledFeatures(FeatureWeights.ValuesOf(network));
        try
        {
            if (await StoredBlocks.ReadAsync(key, store, block => features.Add(block), cancellationToken))
                return features;
        }
        catch (InvalidDataException)
        {
            // The pictures are all there, and are put through the network here.
        }
        catch
        {
            features.Dispose();
            throw;
        }
        features.Dispose();
        return null;
    }

    static T Guard<T>(PlannedPictures planned, Func<T> work)
    {
        try
        {
            return work();
        }
        catch (Exception exception) when (DeviceMemory.IsExhausted(exception))
        {
            throw new StoreException(
                "A network of features does not fit the device on which the run's folder is written: free memory on it, and run the same "
                + "command again.", exception);
        }
        catch (Exception exception) when (exception is InvalidDataException or IOException or WeightsFormatException
            or WeightsMismatchException or UnauthorizedAccessException)
        {
            var named = planned.Features.Select(f => f.Path).Append(planned.Reference?.Path).OfType<string>();
            throw new StoreException(
                $"The run's pictures cannot be measured by what the sweep names ({string.Join(", ", named)}): "
                + $"{exception.Message.TrimEnd('.')}.", exception);
        }
    }
}

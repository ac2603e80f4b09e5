using System.Collections.Immutable;
using Taba.Diffusion.Metrics.Pictures;
using Taba.Diffusion.Native;
using Taba.Silo.Devices;

namespace Taba.Silo.Measuring;

/// <summary>
/// The networks that blocks are measured by, on the first device of this silo. They stay from block to block and leave when none came for a
/// while. For one caller at a time.
/// </summary>
sealed class HeldNetworks(SiloDevices devices) : IDisposable
{
    /// <summary>The pair analyses have three, beside DreamSim's.</summary>
    const int Most = 3;

    PictureSettings? _settings;
    string _held = "";

    /// <summary>The device that networks run on.</summary>
    public string Device => devices[0].Name;

    /// <summary>Works with some networks; what was held of others is freed.</summary>
    /// <param name="features">Their weights.</param>
    /// <param name="bitsCount">The numbers must be the same bit for bit on each device of this kind.</param>
    /// <param name="work">What is done with them, on the calling thread.</param>
    public T Use<T>(ImmutableArray<FeatureFile> features, bool bitsCount, Func<PictureSettings, T> work)
    {
        var key = string.Join('\n', features.Select(f => $"{f.Network} {f.Path} {f.Digest}"));
        if (_settings is null || key != _held)
        {
            Dispose();
            var paths = features.ToDictionary(f => FeatureNetworks.Of(f.Network), f => f.Path);
            (_settings, _held) = (new(new(paths, Most), new(devices[0].Device, devices[0].DefaultBatchSize)), key);
        }
        ProcessorThreads.Use(devices[0].ThreadsOf(bitsCount) ?? ProcessorThreads.Default);
        try
        {
            return work(_settings);
        }
        finally
        {
            // The thread is not ours.
            ProcessorThreads.Use(ProcessorThreads.Default);
        }
    }

    /// <summary>Frees what is held; it is loaded again when it is wanted.</summary>
    public void Dispose()
    {
        _settings?.Dispose();
        _settings = null;
    }
}

using Taba.Silo.Rows;
using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Taba.Diffusion;
using Taba.Diffusion.Engine;
using Taba.Diffusion.Models.Autoencoders;
using Taba.Diffusion.Native;
using Taba.Grains.Stages;
using Taba.Silo.Devices;
using Taba.Silo.Models;
using Taba.Silo.Telemetry;
using static TorchSharp.torch;

namespace Taba.Silo.Engines;

/// <summary>
/// The autoencoders of a device, on a thread of their own beside its engines: states to pictures, and pictures to states.
/// </summary>
sealed partial class AutoencoderHost(
    DeviceChoice device, DevicesInTurn turns, IOptions<EngineSettings> settings, ILogger<AutoencoderHost> logger) : IAsyncDisposable
{
    // A processor is busy with one picture. A picture must not depend on how many are decoded at once.
    const int CpuBatch = 1;
    const int CudaBatch = 8;

    readonly Lazy<DeviceThread> _thread = new(() => new DeviceThread("taba-autoencoder"));

    /// <summary>Used on the thread alone.</summary>
    readonly BoundedCache<string, IAutoencoder> _loaded = new(settings.Value.MaxModels);

    long _networkTicks;

    /// <summary>Time of passes so far.</summary>
    public TimeSpan NetworkTime => System.Diagnostics.Stopwatch.GetElapsedTime(0, Interlocked.Read(ref _networkTicks));

    /// <summary>Autoencoders that are on the device.</summary>
    internal int Loaded => _loaded.Count;

    /// <summary>Fills the results of a part.</summary>
    /// <param name="part">A part of a decode or encode stage, with its inputs.</param>
    /// <param name="cancellationToken">Stops between batches.</param>
    /// <returns>Rows that came out with a NaN or an infinite value.</returns>
    public async Task<ImmutableArray<SampleFailure>> PassAsync(ActivePart part, CancellationToken cancellationToken)
    {
        part.Device = device.Name;
        var failures = ImmutableArray.CreateBuilder<SampleFailure>();
        var batch = device.IsCuda ? CudaBatch : CpuBatch;
        for (var row = 0; row < part.Lease.Rows.Count; row += batch)
        {
            var (start, count) = (row, Math.Min(batch, part.Lease.Rows.Count - row));
            failures.AddRange(await _thread.Value.RunAsync(() => Pass(part, start, count, batch, cancellationToken), cancellationToken));
        }
        return failures.ToImmutable();
    }

    public async ValueTask DisposeAsync()
    {
        if (!_thread.IsValueCreated)
            return;
        await _thread.Value.DisposeAsync();
        _loaded.Dispose();
    }

    List<SampleFailure> Pass(ActivePart part, int start, int count, int batch, CancellationToken cancellationToken)
    {
        using var turn = turns.Of(device).Take(cancellationToken);
        var clock = System.Diagnostics.Stopwatch.StartNew();
        var spec = part.Lease.Spec;
        ProcessorThreads.Use(device.ThreadsOf(bitsCount: spec.Determinism is not null) ?? ProcessorThreads.Default);
        using var scope = NewDisposeScope();
        // A pinned shape is padded with the last row.
        var padded = spec.Determinism is null ? count : batch;
        var host = empty([padded, spec.Model.Channels, spec.Model.Height, spec.Model.Width], dtype: ScalarType.Float32);
        for (var i = 0; i < padded; i++)
            part.Inputs.AsSpan((start + Math.Min(i, count - 1)) * part.RowBytes, part.RowBytes).CopyTo(host.bytes[(i * part.RowBytes)..]);

        using var autoencoder = _loaded.Take($"{spec.Model.Digest}-{spec.Precision.Network.Name()}", () => Load(spec));
        var rows = host.to(device.Device);
        var passed = spec.Kind == StageKind.Decode ? autoencoder.Value.Decode(rows) : autoencoder.Value.Encode(rows);
        var results = passed.narrow(0, 0, count).to(ScalarType.Float32).cpu().contiguous();
        results.bytes.CopyTo(part.Results.AsSpan(start * part.ResultBytes));
        Interlocked.Add(ref _networkTicks, clock.ElapsedTicks);
        var took = clock.Elapsed;
        EngineInstruments.NetworkRan(NameOf(spec), device.Name, took);

        var failures = new List<SampleFailure>();
        for (var i = start; i < start + count; i++)
        {
            var sample = part.Lease.Rows.Start + i;
            part.AddEvaluations(sample, 1);
            part.AddComputing(sample, took / count);
            if (!AllFinite(MemoryMarshal.Cast<byte, float>(part.Results.AsSpan(i * part.ResultBytes, part.ResultBytes))))
                failures.Add(
                    new(
                        part.Lease.Attempt.StageKey, sample, 0,
                        $"The autoencoder gave a NaN or an infinite value in {spec.Precision.Network.Name()}.")
                    {
                        Kind =
                            FailureKind.NonFinite
                    });
        }
        return failures;
    }

    IAutoencoder Load(StageSpec spec)
    {
        var clock = System.Diagnostics.Stopwatch.StartNew();
        var definition = ModelDefinitions.Autoencoder(spec.Model);
        var autoencoder = definition.Load(device.Device, spec.Precision.Network.ToScalarType(), settings.Value.Network);
        SiloInstruments.ModelLoad.Record(
            clock.Elapsed.TotalSeconds, SiloInstruments.ModelOn(NameOf(spec), device.Name));
        LogLoaded(logger, definition.Folder, device.Name, clock.Elapsed.TotalSeconds);
        return autoencoder;
    }

    static string NameOf(StageSpec spec) => $"{spec.Model.Name ?? Path.GetFileName(spec.Model.Path)} autoencoder";

    static bool AllFinite(ReadOnlySpan<float> values)
    {
        foreach (var value in values)
        {
            if (!float.IsFinite(value))
                return false;
        }
        return true;
    }

    [LoggerMessage(4301, LogLevel.Information, "Loaded autoencoder {Folder} on {Device} in {Seconds:F2} s")]
    static partial void LogLoaded(ILogger logger, string folder, string device, double seconds);
}

using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Diagnostics;
using Taba.Diffusion.Tensors;
using Taba.Grains.Faults;
using Taba.Grains.Ports;
using Taba.Grains.Stages;
using Taba.Storage.Manifests;
using Taba.Storage.Objects;
using static TorchSharp.torch;

namespace Taba.Scale;

/// <summary>
/// Nothing is read; what is published is real: an object of one float a row, its digest, and its manifest, create-if-absent, in a
/// real store.
/// </summary>
sealed class SimulatedWorkspace(TensorStore store, ScaleOptions options, TimeProvider time) : IPartWorkspace
{
    readonly ConcurrentDictionary<Guid, PartLease> _leases = new();
    readonly Lock _gate = new();
    SiloReport _report = new();
    string? _stage;

    public SiloReport Report
    {
        get
        {
            lock (_gate)
                return _report;
        }
    }

    public Task<PreparedPart> PrepareAsync(PartLease lease, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            // A sweep that warms up comes before the one that counts.
            if (_stage != lease.Attempt.StageKey)
                _report = _report with { FirstLease = time.GetUtcNow() };
            _stage = lease.Attempt.StageKey;
        }
        _leases[lease.Attempt.Id] = lease;
        return Task.FromResult(
            new PreparedPart([.. Enumerable.Range(lease.Rows.Start, lease.Rows.Count).Select(sample => new SampleStart(sample, 0))], [],
                SimulatedEngines.Model));
    }

    public Task<RowSet> PublishAsync(PartAttempt attempt, ImmutableArray<SampleFailure> failures, CancellationToken cancellationToken) =>
        Task.Run(async () =>
    {
        var clock = Stopwatch.StartNew();
        var lease = _leases[attempt.Id];
        var name = lease.Spec.ResultName;
        var bytes = new byte[lease.Rows.Count * sizeof(float)];
        long offset;
        using (var file = TensorFileWriter.Create(
            store.ScratchPath(attempt, name), TensorFormat.Safetensors, name, ScalarType.Float32,
            [.. SimulatedPart.Shape(lease.Rows.Count)]))
        {
            file.Write(bytes);
            file.Complete();
            offset = file.DataOffset;
        }
        var path = await store.PutAsync(attempt, name, cancellationToken);
        var won = await store.PublishAsync(
            SimulatedPart.Manifest(
                attempt, lease.Rows, name, bytes, (path, offset), (long)lease.Rows.Count * options.Steps, time.GetUtcNow()),
            cancellationToken);
        _leases.TryRemove(attempt.Id, out _);
        if (!won)
            await store.DeleteAttemptAsync(attempt, CancellationToken.None);
        lock (_gate)
        {
            _report = _report with
            {
                LastPublication = time.GetUtcNow(),
                Parts = _report.Parts + 1,
                PartsTooLate = _report.PartsTooLate + (won ? 0 : 1),
                PublishSeconds = _report.PublishSeconds + clock.Elapsed.TotalSeconds,
            };
        }
        return RowSet.Of(lease.Rows);
    }, cancellationToken);

    public void Discard(PartAttempt attempt)
    {
        _leases.TryRemove(attempt.Id, out _);
        Task.Run(() => store.DeleteAttemptAsync(attempt, CancellationToken.None)).Ignore();
    }

    public Fault Blame(PartAttempt attempt, Exception exception) => new(FaultOwner.Host, exception.Message);

    public long Evaluations(PartAttempt attempt) => 0;
}

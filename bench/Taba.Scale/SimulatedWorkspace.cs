using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Security.Cryptography;
using Taba.Diffusion.Tensors;
using Taba.Grains.Ports;
using Taba.Grains.Stages;
using Taba.Grains.Sweeps;
using Taba.Silo.Storage;
using static TorchSharp.torch;

namespace Taba.Scale;

/// <summary>Nothing is read; what is published is real: an object, its digest, and its manifest, create-if-absent, in a real store.</summary>
sealed class SimulatedWorkspace(ITensorStore store, ScaleOptions options, TimeProvider time) : IPartWorkspace
{
    readonly ConcurrentDictionary<Guid, PartLease> _leases = new();

    public Task<PreparedPart> PrepareAsync(PartLease lease, CancellationToken cancellationToken)
    {
        _leases[lease.Attempt.Id] = lease;
        return Task.FromResult(new PreparedPart([.. Enumerable.Range(lease.Rows.Start, lease.Rows.Count).Select(sample => new SampleStart(sample, 0))], []));
    }

    public Task<RowSet> PublishAsync(PartAttempt attempt, ImmutableArray<SampleFailure> failures, CancellationToken cancellationToken) => Task.Run(async () =>
    {
        var lease = _leases[attempt.Id];
        var shape = lease.Spec.ResultShape;
        var bytes = new byte[lease.Rows.Count * shape.Bytes];
        ImmutableArray<long> dimensions = [lease.Rows.Count, shape.Channels, shape.Height, shape.Width];
        long offset;
        using (var file = TensorFileWriter.Create(store.ScratchPath(attempt, lease.Spec.ResultName), TensorFormat.Safetensors, lease.Spec.ResultName, ScalarType.Float32, [.. dimensions]))
        {
            file.Write(bytes);
            file.Complete();
            offset = file.DataOffset;
        }
        var path = await store.PutAsync(attempt, lease.Spec.ResultName, cancellationToken);
        var entry = new ObjectEntry(
            lease.Spec.ResultName, TensorKinds.None, [], path, dimensions, "float32", offset, bytes.Length, Convert.ToHexStringLower(SHA256.HashData(bytes)));
        var won = await store.PublishAsync(
            new()
            {
                StageKey = attempt.StageKey,
                RowStart = lease.Rows.Start,
                RowEnd = lease.Rows.End,
                Epoch = attempt.Epoch,
                Attempt = attempt.Id,
                Objects = [entry],
                Evaluations = (long)lease.Rows.Count * options.Steps,
                Device = "simulated",
                PublishedAt = time.GetUtcNow(),
            },
            cancellationToken);
        _leases.TryRemove(attempt.Id, out _);
        if (!won)
            store.DeleteAttempt(attempt);
        return RowSet.Of(lease.Rows);
    }, cancellationToken);

    public void Discard(PartAttempt attempt)
    {
        _leases.TryRemove(attempt.Id, out _);
        Task.Run(() => store.DeleteAttempt(attempt)).Ignore();
    }

    public long Evaluations(PartAttempt attempt) => 0;
}

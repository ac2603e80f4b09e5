using System.Collections.Immutable;
using System.Security.Cryptography;
using Taba.Diffusion.Tensors;
using Taba.Grains.Stages;
using Taba.Silo.Devices;
using Taba.Storage.Manifests;
using Taba.Storage.Objects;

namespace Taba.Silo.Engines;

/// <summary>
/// Writes the objects of a finished part and publishes their manifest. Rows that failed are left out: the rows around them are
/// published as parts of their own.
/// </summary>
sealed class PartPublisher(TensorStore store, DeviceChoice device, TimeProvider time)
{
    /// <returns>The rows that are now published: ours, or those of an attempt that was quicker.</returns>
    public async Task<RowSet> PublishAsync(ActivePart part, ImmutableArray<SampleFailure> failures, CancellationToken cancellationToken)
    {
        var good = failures.Aggregate(RowSet.Of(part.Lease.Rows), (rows, f) => rows.Subtract(new RowRange(f.Sample, f.Sample + 1)));
        var published = RowSet.Empty;
        foreach (var rows in good.Ranges)
            published = published.Union(await PublishRowsAsync(part, rows, cancellationToken));
        return published;
    }

    async Task<RowSet> PublishRowsAsync(ActivePart part, RowRange rows, CancellationToken cancellationToken)
    {
        var lease = part.Lease;
        var attempt = lease.Attempt;
        var objects = ImmutableArray.CreateBuilder<ObjectEntry>();
        if (!lease.Supplement)
            objects.Add(await WriteResultAsync(part, attempt, rows, cancellationToken));
        foreach (var kind in lease.Keep.Kinds)
            objects.Add(await WriteKeptAsync(part, attempt, rows, kind, cancellationToken));
        var manifest = new PartManifest
        {
            StageKey = attempt.StageKey,
            RowStart = rows.Start,
            RowEnd = rows.End,
            Supplement = lease.Supplement,
            Epoch = attempt.Epoch,
            Attempt = attempt.Id,
            Objects = objects.ToImmutable(),
            Evaluations = Enumerable.Range(rows.Start, rows.Count).Sum(part.EvaluationsOf),
            Device = device.Kind,
            PublishedAt = time.GetUtcNow(),
        };
        if (await store.PublishAsync(manifest, cancellationToken))
            return RowSet.Of(rows);
        var others = await store.ListAsync(attempt.StageKey, rows, cancellationToken);
        return RowSet.Of(
            [.. others.Where(m => m.Supplement == lease.Supplement && m.Kept.Covers(lease.Keep)).Select(m => m.Rows)]).Intersect(rows);
    }

    async Task<ObjectEntry> WriteResultAsync(ActivePart part, PartAttempt attempt, RowRange rows, CancellationToken cancellationToken)
    {
        var spec = part.Lease.Spec;
        ImmutableArray<long> shape = [rows.Count, spec.ResultShape.Channels, spec.ResultShape.Height, spec.ResultShape.Width];
        var file = FileOf(spec.ResultName, part, rows);
        using var writer = Open(attempt, file, spec.ResultName, shape);
        writer.Write(part.Results.AsSpan((rows.Start - part.Lease.Rows.Start) * part.ResultBytes, rows.Count * part.ResultBytes));
        return await PutAsync(writer, attempt, file, spec.ResultName, TensorKinds.None, [], shape, cancellationToken);
    }

    async Task<ObjectEntry> WriteKeptAsync(
        ActivePart part, PartAttempt attempt, RowRange rows, TensorKinds kind, CancellationToken cancellationToken)
    {
        var spec = part.Lease.Spec;
        var steps = part.Lease.Keep.Steps(kind);
        var name = spec.CaptureName(kind);
        ImmutableArray<long> shape = [steps.Length, rows.Count, spec.Model.Channels, spec.Model.Height, spec.Model.Width];
        var file = FileOf(name, part, rows);
        using var writer = Open(attempt, file, name, shape);
        var buffer = new byte[rows.Count * part.RowBytes];
        foreach (var step in steps)
        {
            part.ReadCapture(kind, step, rows, buffer);
            writer.Write(buffer);
        }
        return await PutAsync(writer, attempt, file, name, kind, steps, shape, cancellationToken);
    }

    /// <summary>An attempt whose rows are published in pieces has an object for each of them.</summary>
    static string FileOf(string name, ActivePart part, RowRange rows) =>
        rows.Start == part.Lease.Rows.Start ? name : $"{name}_{rows.Start}";

    DigestingWriter Open(PartAttempt attempt, string file, string name, ImmutableArray<long> shape) =>
        DigestingWriter.Create(store.ScratchPath(attempt, file), name, shape);

    async Task<ObjectEntry> PutAsync(
        DigestingWriter writer, PartAttempt attempt, string file, string name, TensorKinds kind, ImmutableArray<int> steps,
        ImmutableArray<long> shape, CancellationToken cancellationToken)
    {
        var (bytes, digest) = writer.Complete();
        var path = await store.PutAsync(attempt, file, cancellationToken);
        return new(name, kind, steps, path, shape, "float32", writer.DataOffset, bytes, digest);
    }

    /// <summary>A safetensors file that knows the digest of its tensor's bytes.</summary>
    sealed class DigestingWriter(TensorFileWriter file) : IDisposable
    {
        readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        long _bytes;

        public long DataOffset => file.DataOffset;

        public static DigestingWriter Create(string path, string name, ImmutableArray<long> shape) =>
            new(StoreErrors.Guard(path, () => TensorFileWriter.Create(
                path, TensorFormat.Safetensors, name, TorchSharp.torch.ScalarType.Float32, [.. shape])));

        public void Write(ReadOnlySpan<byte> bytes)
        {
            _hash.AppendData(bytes);
            _bytes += bytes.Length;
            try
            {
                file.Write(bytes);
            }
            catch (IOException exception)
            {
                throw StoreErrors.Wrap(exception, file.Path);
            }
        }

        public (long Bytes, string Digest) Complete()
        {
            StoreErrors.Guard(file.Path, () =>
            {
                file.Complete();
                return 0;
            });
            return (_bytes, Convert.ToHexStringLower(_hash.GetHashAndReset()));
        }

        public void Dispose()
        {
            _hash.Dispose();
            file.Dispose();
        }
    }
}

using Taba.Silo.Engines;
using Taba.Silo.Telemetry;
using System.Collections.Immutable;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Taba.Diffusion.Tensors;
using Taba.Grains.Ports;
using Taba.Grains.Stages;
using Taba.Storage.Manifests;
using Taba.Storage.Objects;

namespace Taba.Silo.Parts;

/// <summary>
/// Writes the objects of a finished part and publishes their manifest. Rows that failed are left out: the rows around them are
/// published as parts of their own.
/// </summary>
sealed partial class PartPublisher(TensorStore store, ILocalSiloDetails silo, TimeProvider time, ILogger<PartPublisher> logger)
{
    public async Task<PublishedPart> PublishAsync(
        ActivePart part, ImmutableArray<SampleFailure> failures, CancellationToken cancellationToken)
    {
        var good = failures.Aggregate(RowSet.Of(part.Lease.Rows), (rows, f) => rows.Subtract(new RowRange(f.Sample, f.Sample + 1)));
        var published = new PublishedPart(RowSet.Empty, RowSet.Empty);
        foreach (var rows in good.Ranges)
        {
            var (all, ours) = await PublishRowsAsync(part, rows, cancellationToken);
            published = new(published.All.Union(all), published.Ours.Union(ours));
        }
        return published;
    }

    async Task<PublishedPart> PublishRowsAsync(ActivePart part, RowRange rows, CancellationToken cancellationToken)
    {
        var lease = part.Lease;
        var attempt = lease.Attempt;
        var objects = ImmutableArray.CreateBuilder<ObjectEntry>();
        if (!lease.Supplement)
            objects.Add(await (part.Sums is { } sums
                ? WriteSumsAsync(part, sums, attempt, cancellationToken)
                : WriteResultAsync(part, attempt, rows, cancellationToken)));
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
            Seconds = Enumerable.Range(rows.Start, rows.Count).Sum(sample => part.ComputingOf(sample).TotalSeconds),
            Device = part.Device,
            Silo = silo.Name,
            Host = Environment.MachineName,
            Build = ProgramVersion.Own.Build,
            Numerics = ProgramVersion.Own.Numerics,
            PublishedAt = time.GetUtcNow(),
        };
        // What only verifies has nothing to publish, and compares itself with what is.
        if (!lease.Verify && await store.PublishAsync(manifest, cancellationToken))
            return new(RowSet.Of(rows), RowSet.Of(rows));
        var others = await store.ListAsync(attempt.StageKey, rows, cancellationToken);
        if (lease.Spec.Determinism is not null)
            await CompareAsync(manifest, others, lease.Spec, cancellationToken);
        var theirs = others.Where(m => m.Supplement == lease.Supplement && m.Kept.Covers(lease.Keep)).Select(m => m.Rows);
        return new(RowSet.Of([.. theirs]).Intersect(rows), RowSet.Empty);
    }

    /// <summary>
    /// Two attempts at the same rows check for free that a row is a function of its stage and its number. The cell keeps what they
    /// disagree in.
    /// </summary>
    async Task CompareAsync(PartManifest ours, IEnumerable<PartManifest> others, StageSpec spec, CancellationToken cancellationToken)
    {
        foreach (var theirs in others.Where(m => m.Rows == ours.Rows && m.Attempt != ours.Attempt))
        {
            var both = ours.Objects.Join(
                theirs.Objects, o => o.Name, t => t.Name, (o, t) => (o.Name, Comparable: t.Shape.SequenceEqual(o.Shape)
                    && t.Steps.SequenceEqual(o.Steps), Equal: t.Sha256 == o.Sha256)).Where(p => p.Comparable).ToList();
            if (both.Count == 0)
                continue;
            var differing = both.Where(p => !p.Equal).Select(p => p.Name).ToImmutableArray();
            SiloInstruments.PartsCompared.Add(
                1, SiloInstruments.KindOf(spec), new("taba.outcome", differing.IsEmpty ? "equal" : "different"));
            if (differing.IsEmpty)
                continue;
            LogDiffers(logger, ours.StageKey, ours.Rows, string.Join(", ", differing), Maker.Of(ours), Maker.Of(theirs));
            try
            {
                await store.DisagreeAsync(theirs, ours, differing, cancellationToken);
            }
            catch (StoreException)
            {
                // The rows are published all the same, and what differs has been said.
            }
        }
    }

    async Task<ObjectEntry> WriteResultAsync(ActivePart part, PartAttempt attempt, RowRange rows, CancellationToken cancellationToken)
    {
        var spec = part.Lease.Spec;
        ImmutableArray<long> shape = [rows.Count, spec.ResultShape.Channels, spec.ResultShape.Height, spec.ResultShape.Width];
        var file = FileOf(spec.ResultName, part, rows);
        using var writer = Open(attempt, file, spec.ResultName, shape);
        writer.Write(part.Results.AsSpan((rows.Start - part.Lease.Rows.Start) * part.ResultBytes, rows.Count * part.ResultBytes));
        return await PutAsync(writer, attempt, file, spec.ResultName, TensorKinds.None, [], shape, part.Lease.Verify, cancellationToken);
    }

    /// <summary>What was kept of a block, as bytes: the next block's may be more.</summary>
    async Task<ObjectEntry> WriteSumsAsync(
        ActivePart part, ReadOnlyMemory<byte> sums, PartAttempt attempt, CancellationToken cancellationToken)
    {
        var name = part.Lease.Spec.ResultName;
        ImmutableArray<long> shape = [1, sums.Length];
        using var writer = Open(attempt, name, name, shape, TorchSharp.torch.ScalarType.Byte);
        writer.Write(sums.Span);
        return await PutAsync(
            writer, attempt, name, name, TensorKinds.None, [], shape, part.Lease.Verify, cancellationToken, dtype: "uint8");
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
            part.Captures.Read(kind, step, rows, buffer);
            writer.Write(buffer);
        }
        return await PutAsync(writer, attempt, file, name, kind, steps, shape, part.Lease.Verify, cancellationToken);
    }

    /// <summary>An attempt whose rows are published in pieces has an object for each of them.</summary>
    static string FileOf(string name, ActivePart part, RowRange rows) =>
        rows.Start == part.Lease.Rows.Start ? name : $"{name}_{rows.Start}";

    DigestingWriter Open(
        PartAttempt attempt, string file, string name, ImmutableArray<long> shape,
        TorchSharp.torch.ScalarType type = TorchSharp.torch.ScalarType.Float32) =>
        DigestingWriter.Create(store.ScratchPath(attempt, file), name, shape, type);

    async Task<ObjectEntry> PutAsync(
        DigestingWriter writer, PartAttempt attempt, string file, string name, TensorKinds kind, ImmutableArray<int> steps,
        ImmutableArray<long> shape, bool verify, CancellationToken cancellationToken, string dtype = "float32")
    {
        var (bytes, digest) = writer.Complete();
        var path = verify ? "" : await store.PutAsync(attempt, file, cancellationToken);
        return new(name, kind, steps, path, shape, dtype, writer.DataOffset, bytes, digest);
    }

    /// <summary>A safetensors file that knows the digest of its tensor's bytes.</summary>
    sealed class DigestingWriter(TensorFileWriter file) : IDisposable
    {
        readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        long _bytes;

        public long DataOffset => file.DataOffset;

        public static DigestingWriter Create(
            string path, string name, ImmutableArray<long> shape, TorchSharp.torch.ScalarType type) =>
            new(StoreErrors.Guard(path, () => TensorFileWriter.Create(path, TensorFormat.Safetensors, name, type, [.. shape])));

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

    [LoggerMessage(3201, LogLevel.Warning, "Two attempts at the same rows gave different bytes: rows {Rows} of stage {Stage}, {Names}. "
        + "{Ours} made bytes that were not published, {Published} those that are: one of the two computes something else")]
    static partial void LogDiffers(ILogger logger, string stage, RowRange rows, string names, Maker ours, Maker published);
}

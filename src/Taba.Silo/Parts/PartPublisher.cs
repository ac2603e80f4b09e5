using Taba.Silo.Engines;
using System.Collections.Immutable;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Taba.Diffusion.Tensors;
using Taba.Grains.Stages;
using Taba.Storage.Manifests;
using Taba.Storage.Objects;

namespace Taba.Silo.Parts;

/// <summary>
/// Writes the objects of a finished part and publishes their manifest. Rows that failed are left out: the rows around them are
/// published as parts of their own.
/// </summary>
sealed partial class PartPublisher(TensorStore store, TimeProvider time, ILogger<PartPublisher> logger)
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
            Device = part.Device,
            PublishedAt = time.GetUtcNow(),
        };
        if (await store.PublishAsync(manifest, cancellationToken))
            return new(RowSet.Of(rows), RowSet.Of(rows));
        var others = await store.ListAsync(attempt.StageKey, rows, cancellationToken);
        if (lease.Spec.Determinism is not null)
            Compare(manifest, others);
        var theirs = others.Where(m => m.Supplement == lease.Supplement && m.Kept.Covers(lease.Keep)).Select(m => m.Rows);
        return new(RowSet.Of([.. theirs]).Intersect(rows), RowSet.Empty);
    }

    /// <summary>Two attempts at the same rows check for free that a row is a function of its stage and its number.</summary>
    void Compare(PartManifest ours, IEnumerable<PartManifest> others)
    {
        foreach (var theirs in others.Where(m => m.Rows == ours.Rows))
        {
            var differing = ours.Objects
                .Where(o => theirs.Objects.Any(t => t.Name == o.Name && t.Shape.SequenceEqual(o.Shape) && t.Sha256 != o.Sha256))
                .Select(o => o.Name).ToList();
            if (differing.Count > 0)
                LogDiffers(
                    logger, ours.StageKey, ours.Rows, string.Join(", ", differing), ours.Attempt, Environment.MachineName, ours.Device,
                    theirs.Attempt, theirs.Device);
        }
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
            part.Captures.Read(kind, step, rows, buffer);
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

    [LoggerMessage(3201, LogLevel.Warning, "Two attempts at the same rows gave different bytes: rows {Rows} of stage {Stage}, {Names}. "
        + "Attempt {Attempt} on {Host} ({Device}) was not published, {Published} ({PublishedDevice}) is: one of the two devices computes "
        + "something else")]
    static partial void LogDiffers(
        ILogger logger, string stage, RowRange rows, string names, Guid attempt, string host, string device, Guid published,
        string publishedDevice);
}

/// <summary>Rows that are published after an attempt at them.</summary>
/// <param name="All">They: this attempt's, or those of one that was quicker.</param>
/// <param name="Ours">Those whose bytes are this attempt's.</param>
readonly record struct PublishedPart(RowSet All, RowSet Ours);

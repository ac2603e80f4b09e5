using System.Collections.Immutable;
using System.Diagnostics;
using Taba.Grains.Faults;
using Taba.Grains.Ports;
using Taba.Grains.Stages;
using Taba.Silo.Faults;
using Taba.Silo.Parts;
using Taba.Silo.Rows;
using Taba.Storage.Manifests;
using Taba.Storage.Objects;

namespace Taba.Scale;

/// <summary>
/// No tensor is computed. What is read and published is real, in a real store: the cells and objects of the rows that a part depends on, an
/// object of one float a row for the result and for each kind that is kept, their digests, and a manifest, create-if-absent. What a swap
/// takes at each of its steps is read when the part begins; a real engine reads it step by step.
/// </summary>
sealed class SimulatedWorkspace(TensorStore store, ScaleOptions options, SimulatedParts parts, CallCount calls, TimeProvider time)
    : IPartWorkspace
{
    readonly RecentResults _recent = new(new());
    readonly Lock _gate = new();
    SiloReport _report = new();

    public SiloReport Report
    {
        get
        {
            lock (_gate)
                return _report with { Calls = calls.Now };
        }
    }

    /// <summary>Steps that cost no pass are the first ones here, whichever they are in a real stage.</summary>
    public static int FirstStep(StageSpec spec) => spec.NumInferenceSteps - spec.EvaluationsPerRow;

    public Task<PreparedPart> PrepareAsync(PartLease lease, CancellationToken cancellationToken) => Task.Run(async () =>
    {
        var key = lease.Attempt.StageKey;
        Note(r => r.FirstLeases.ContainsKey(key) ? r : r with { FirstLeases = r.FirstLeases.Add(key, time.GetUtcNow()) });
        if (options.BadHost)
        {
            Note(r => r with { PartsFailed = r.PartsFailed + 1 });
            throw StoreErrors.Wrap(new IOException("No space left on device"), store.ScratchPath(lease.Attempt, lease.Spec.ResultName));
        }
        await store.DescribeStageAsync(key, lease.Spec, cancellationToken);
        await ReadInputAsync(lease, cancellationToken);
        parts.Add(lease);
        return new PreparedPart(
            [.. Enumerable.Range(lease.Rows.Start, lease.Rows.Count).Select(sample => new SampleStart(sample, FirstStep(lease.Spec)))], [],
            SimulatedEngines.Model);
    }, cancellationToken);

    public Task<PublishedPart> PublishAsync(
        PartAttempt attempt, ImmutableArray<SampleFailure> failures, CancellationToken cancellationToken) => Task.Run(async () =>
    {
        var clock = Stopwatch.StartNew();
        var lease = parts.Find(attempt) ?? throw new InvalidOperationException($"{attempt} is not here.");
        var (spec, rows) = (lease.Spec, lease.Rows);
        var objects = ImmutableArray.CreateBuilder<ObjectEntry>();
        if (!lease.Supplement)
            objects.Add(await SimulatedPart.PutAsync(store, attempt, spec.ResultName, TensorKinds.None, [], rows.Count, cancellationToken));
        foreach (var kind in lease.Keep.Kinds)
            objects.Add(await SimulatedPart.PutAsync(
                store, attempt, spec.CaptureName(kind), kind, lease.Keep.Steps(kind), rows.Count, cancellationToken));
        var manifest = SimulatedPart.Manifest(
            attempt, rows, objects.ToImmutable(), (long)rows.Count * spec.EvaluationsPerRow, lease.Supplement, time.GetUtcNow());
        var won = await store.PublishAsync(manifest, cancellationToken);
        parts.Remove(attempt);
        if (won && !lease.Supplement)
            _recent.Add(attempt.StageKey, rows, new byte[rows.Count * sizeof(float)]);
        // Nothing is left of it but what its manifest names.
        await store.DeleteAttemptAsync(attempt, CancellationToken.None);
        Note(r => r with
        {
            LastPublication = time.GetUtcNow(),
            Parts = r.Parts + 1,
            PartsTooLate = r.PartsTooLate + (won ? 0 : 1),
            PublishSeconds = r.PublishSeconds + clock.Elapsed.TotalSeconds,
        });
        var all = RowSet.Of(rows);
        return new PublishedPart(all, won ? all : RowSet.Empty);
    }, cancellationToken);

    public void Discard(PartAttempt attempt)
    {
        parts.Remove(attempt);
        Task.Run(() => store.DeleteAttemptAsync(attempt, CancellationToken.None)).Ignore();
    }

    public Fault Blame(PartAttempt attempt, Exception exception) => FaultOwners.Of(exception, default);

    public long Evaluations(PartAttempt attempt) => 0;

    /// <summary>As a real part reads it: what this silo published last is at hand, else the cells of these rows are read.</summary>
    async Task ReadInputAsync(PartLease lease, CancellationToken cancellationToken)
    {
        var rows = lease.Rows;
        var buffer = new byte[rows.Count * sizeof(float)];
        if (lease.Spec.Input is StageRows input)
        {
            var isAtHand = _recent.TryRead(input.Key, rows, buffer);
            if (!isAtHand)
            {
                using var reader = await StageReader.OpenAsync(store, input.Key, rows, cancellationToken);
                reader.ReadResult(rows, buffer);
            }
            Note(r => isAtHand ? r with { RowsAtHand = r.RowsAtHand + rows.Count } : r with { RowsRead = r.RowsRead + rows.Count });
        }
        if (lease.Spec.Swap is { Source: StageRows source } swap)
        {
            var kind = swap.Kind == SwapKind.Eps ? TensorKinds.Eps : TensorKinds.State;
            var steps = CaptureSelection.ForSwap(swap.Kind, swap.Before, lease.Spec.NumInferenceSteps).Steps(kind);
            using var reader = await StageReader.OpenAsync(store, source.Key, rows, cancellationToken);
            foreach (var step in steps)
            {
                for (var row = rows.Start; row < rows.End; row++)
                    reader.ReadKept(kind, step, new(row, row + 1), buffer.AsSpan(0, sizeof(float)));
            }
            Note(r => r with { RowsRead = r.RowsRead + (long)rows.Count * steps.Length });
        }
    }

    void Note(Func<SiloReport, SiloReport> change)
    {
        lock (_gate)
            _report = change(_report);
    }
}

using System.Collections.Concurrent;
using System.Collections.Immutable;
using Taba.Grains.Faults;
using Taba.Grains.Ports;
using Taba.Grains.Stages;

namespace Taba.Grains.Tests.Fakes;

/// <summary>Prepares and publishes at once, or when a test says so.</summary>
sealed class FakeWorkspace(FakeStore store) : IPartWorkspace
{
    readonly ConcurrentDictionary<PartAttempt, PartLease> _leases = new();

    /// <summary>What a part waits for before it is prepared; it may throw.</summary>
    public Func<PartLease, Task>? BeforePrepare { get; set; }

    /// <summary>What a part waits for before it is published; it may throw.</summary>
    public Func<PartAttempt, Task>? BeforePublish { get; set; }

    public Action<PartAttempt>? OnDiscard { get; set; }

    /// <summary>Rows that a checkpoint holds complete: they need no trajectory.</summary>
    public Func<int, bool>? Complete { get; set; }

    /// <summary>Rows of stages without steps that come out unusable.</summary>
    public Func<int, bool>? Fails { get; set; }

    /// <summary>The silo ends.</summary>
    public bool Draining { get; set; }

    public ConcurrentQueue<PartLease> Prepared { get; } = new();

    public ConcurrentQueue<PartAttempt> Discarded { get; } = new();

    public PartLease Lease(PartAttempt attempt) => _leases[attempt];

    public async Task<PreparedPart> PrepareAsync(PartLease lease, CancellationToken cancellationToken)
    {
        Prepared.Enqueue(lease);
        _leases[lease.Attempt] = lease;
        if (BeforePrepare is { } wait)
            await wait(lease);
        cancellationToken.ThrowIfCancellationRequested();
        if (!lease.Spec.HasSteps)
            return new(
                [], [.. Enumerable.Range(lease.Rows.Start, lease.Rows.Count).Where(row => Fails?.Invoke(row) == true).Select(
                    row => new SampleFailure(lease.Attempt.StageKey, row, 0, "NaN"))],
                null);
        return new(
            [.. Enumerable.Range(lease.Rows.Start, lease.Rows.Count).Where(row => Complete?.Invoke(row) != true).Select(
                row => new SampleStart(row, lease.Spec.FirstStep))],
            [], new("device", lease.Spec.Model.Digest));
    }

    public async Task<PublishedPart> PublishAsync(
        PartAttempt attempt, ImmutableArray<SampleFailure> failures, CancellationToken cancellationToken)
    {
        if (BeforePublish is { } wait)
            await wait(attempt);
        var lease = _leases[attempt];
        var published = RowSet.Empty;
        foreach (var rows in failures.Aggregate(
            RowSet.Of(lease.Rows), (rows, f) => rows.Subtract(new RowRange(f.Sample, f.Sample + 1))).Ranges)
        {
            if (store.Publish(attempt, rows, lease.Keep, lease.Supplement))
                published = published.Add(rows);
        }
        return new(published, published);
    }

    public void Discard(PartAttempt attempt)
    {
        Discarded.Enqueue(attempt);
        OnDiscard?.Invoke(attempt);
    }

    public Fault Blame(PartAttempt attempt, Exception exception) => exception switch
    {
        ModelRefusedException => Fault.Refusal(exception.Message),
        InputLostException lost => Fault.LostInput(lost.StageKey, lost.Rows, lost.Message),
        _ => new(FaultOwner.Host, exception.Message),
    };

    public long Evaluations(PartAttempt attempt) => 0;
}

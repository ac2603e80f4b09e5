using System.Collections.Concurrent;
using Taba.Grains.Dispatch;
using Taba.Grains.Stages;

namespace Taba.Silo.Workers;

/// <summary>The parts that this silo leased and works on, and how much of it they fill. Safe for several threads.</summary>
sealed class HeldParts
{
    readonly ConcurrentDictionary<PartAttempt, HeldPart> _parts = new();

    /// <summary>They, as they are now, in an order that is the same in every process.</summary>
    public IReadOnlyList<HeldPart> All => [.. _parts.Values.OrderBy(p => p.Lease.Attempt.ToString(), StringComparer.Ordinal)];

    /// <summary>How many they are.</summary>
    public int Count => _parts.Count;

    /// <summary>All their rows.</summary>
    public int Rows => _parts.Values.Sum(p => p.Lease.Rows.Count);

    /// <summary>One of them is suspect, and nothing may run beside it.</summary>
    public bool HasSuspect => _parts.Values.Any(p => p.Lease.Alone);

    /// <summary>Rows that step through an engine, or will.</summary>
    public int RowsWithSteps => _parts.Values.Where(p => p.Lease.Spec.HasSteps).Sum(p => p.Lease.Rows.Count);

    /// <summary>Parts whose rows step through an engine, or will.</summary>
    public int PartsWithSteps => Count - PartsWithoutSteps;

    /// <summary>Parts whose rows pass through an autoencoder.</summary>
    public int PartsWithoutSteps => _parts.Values.Count(p => !p.Lease.Spec.HasSteps);

    /// <summary>The part that ended last with rows published: what depends on it flows on from here.</summary>
    public FreshRows? Fresh { get; private set; }

    /// <param name="lease">The lease.</param>
    /// <param name="now">The time of its answer, a timestamp.</param>
    public void Add(PartLease lease, long now) => _parts[lease.Attempt] = new(lease, now);

    /// <summary>Its grain runs it.</summary>
    public void Began(PartAttempt attempt)
    {
        if (_parts.TryGetValue(attempt, out var part))
            part.HasBegun = true;
    }

    /// <returns>False when somebody else removed it.</returns>
    public bool Remove(PartAttempt attempt) => _parts.TryRemove(attempt, out _);

    public void Ended(EndedPart part)
    {
        Remove(part.Attempt);
        if (!part.Published.IsEmpty)
            Fresh = new(part.Attempt.StageKey, part.Published.Ranges[0].Start);
    }
}

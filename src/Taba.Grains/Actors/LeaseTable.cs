using System.Collections.Immutable;
using Taba.Grains.Stages;

namespace Taba.Grains.Actors;

/// <summary>
/// The leases of a stage while it is active, with what its workers said of them. Each operation but a look at all of them costs the same
/// however many there are, save that the set of leased rows is as long as it has gaps. Times are of this process, not of the day.
/// </summary>
sealed class LeaseTable(LeaseOptions options, TimeProvider time)
{
    readonly Dictionary<Guid, Entry> _entries = [];

    public int Count => _entries.Count;

    /// <summary>False where parts make no network evaluations, by which one would see that they get on.</summary>
    public bool WatchesProgress { get; set; } = true;

    /// <summary>The rows that are out with workers.</summary>
    public RowSet Rows { get; private set; } = RowSet.Empty;

    /// <summary>
    /// The rows that are out with workers or have a result. Parts are handed out in order, so that both together have few gaps, where each
    /// alone has as many as there are leases.
    /// </summary>
    public RowSet Taken { get; private set; } = RowSet.Empty;

    /// <summary>The rows that have a result.</summary>
    public RowSet Done
    {
        get;
        set
        {
            var changed = field.Differing(value);
            field = value;
            Refresh(changed);
        }
    } = RowSet.Empty;

    /// <summary>The leases, as the state of the stage has them.</summary>
    public ImmutableArray<Lease> All => [.. _entries.Values.Select(e => e.Lease)];

    /// <summary>Leases that have any of these rows, how many of the rows they have, and the network evaluations behind those.</summary>
    public (int Leases, int Rows, double Evaluations) Within(RowSet rows)
    {
        var sum = (Leases: 0, Rows: 0, Evaluations: 0.0);
        foreach (var entry in _entries.Values)
        {
            var all = entry.Lease.Rows;
            if (rows.CountIn(all) is > 0 and var some)
                sum = (sum.Leases + 1, sum.Rows + some, sum.Evaluations + (double)entry.Evaluations * some / all.Count);
        }
        return sum;
    }

    /// <summary>Leases that have any of these rows, with how far they are, as their workers say.</summary>
    public IEnumerable<LeaseProgress> ProgressWithin(RowSet rows) =>
        from entry in _entries.Values
        where rows.CountIn(entry.Lease.Rows) > 0
        select new LeaseProgress(
            entry.Lease, time.GetElapsedTime(entry.GivenAt), time.GetElapsedTime(entry.AdvancedAt), entry.Evaluations);

    public Lease? Find(PartAttempt attempt) =>
        _entries.TryGetValue(attempt.Id, out var entry) && entry.Lease.Attempt == attempt ? entry.Lease : null;

    /// <summary>Whether a worker has any; this one looks at all of them.</summary>
    public bool HasAny(string worker) => _entries.Values.Any(e => e.Lease.Worker == worker);

    /// <summary>Leases that an earlier activation wrote: each has its full time again.</summary>
    public void Add(ImmutableArray<Lease> written)
    {
        foreach (var lease in written)
            Put(lease);
    }

    /// <summary>Parts that are handed out now.</summary>
    public void Add(ImmutableArray<PartLease> parts, string worker, string host)
    {
        foreach (var part in parts)
            Put(new(part.Attempt, part.Rows, worker, Until) { Alone = part.Alone, Host = host });
    }

    /// <summary>A part that its worker says it has.</summary>
    public Lease Add(PartProgress part, string worker, string host)
    {
        var lease = new Lease(part.Attempt, part.Rows, worker, Until) { Host = host };
        Put(lease);
        return lease;
    }

    /// <summary>For whoever reads the state; nothing goes by it.</summary>
    DateTimeOffset Until => time.GetUtcNow() + options.Duration;

    void Put(Lease lease)
    {
        var now = time.GetTimestamp();
        _entries[lease.Attempt.Id] = new(lease) { GivenAt = now, RenewedAt = now, AdvancedAt = now };
        Rows = Rows.Add(lease.Rows);
        Taken = Taken.Add(lease.Rows);
    }

    public void Remove(Lease lease)
    {
        if (!_entries.Remove(lease.Attempt.Id))
            return;
        Rows = Rows.Subtract(lease.Rows);
        Refresh(lease.Rows);
    }

    /// <summary>Its worker says that it works on it.</summary>
    /// <param name="evaluations">Network evaluations behind it.</param>
    /// <returns>Whether it got further since.</returns>
    public bool Renew(Lease lease, long evaluations)
    {
        var entry = _entries[lease.Attempt.Id];
        entry.RenewedAt = time.GetTimestamp();
        if (evaluations <= entry.Evaluations)
            return false;
        (entry.Evaluations, entry.AdvancedAt) = (evaluations, entry.RenewedAt);
        return true;
    }

    /// <summary>Network evaluations of an attempt, as its worker said last.</summary>
    public long Evaluations(PartAttempt attempt) => _entries.GetValueOrDefault(attempt.Id)?.Evaluations ?? 0;

    /// <summary>Leases that have ended: their worker is gone, has not renewed them, or has not got further for too long.</summary>
    /// <param name="isAlive">Whether a worker is a member.</param>
    public IReadOnlyList<(Lease Lease, LeaseEnd How)> Ended(Func<string, bool> isAlive)
    {
        var ended = new List<(Lease, LeaseEnd)>();
        var alive = new Dictionary<string, bool>();
        foreach (var entry in _entries.Values)
        {
            var worker = entry.Lease.Worker;
            if (!(alive.TryGetValue(worker, out var known) ? known : alive[worker] = isAlive(worker)))
                ended.Add((entry.Lease, LeaseEnd.WorkerLost));
            else if (IsExpired(entry))
                ended.Add((entry.Lease, LeaseEnd.Expired));
            else if (IsStuck(entry))
                ended.Add((entry.Lease, LeaseEnd.Stuck));
        }
        return ended;
    }

    /// <summary>What was lost of late, the oldest first.</summary>
    public ImmutableArray<PartsLoss> Losses { get; private set; } = [];

    /// <summary>Notes those that have <see cref="Ended"/>, which whoever asks then removes.</summary>
    public IReadOnlyList<(Lease Lease, LeaseEnd How)> Lose(Func<string, bool> isAlive)
    {
        var ended = Ended(isAlive);
        if (ended.Count == 0)
            return ended;
        var now = time.GetUtcNow();
        Losses =
        [
            .. Losses.Concat(ended.GroupBy(e => (e.Lease.Host, e.How)).Select(g => new PartsLoss(
                now, g.Key.Host, g.Key.How, g.Count(), g.Sum(e => (double)Evaluations(e.Lease.Attempt))))).TakeLast(StageStatus.MostLosses),
        ];
        return ended;
    }

    /// <summary>Whether a lease's time is over.</summary>
    public bool HasEnded(PartAttempt attempt) =>
        _entries.TryGetValue(attempt.Id, out var entry) && (IsExpired(entry) || IsStuck(entry));

    /// <summary>Looks anew what is taken of these rows.</summary>
    void Refresh(RowRange rows) => Taken = Taken.Subtract(rows).Union(Rows.Intersect(rows)).Union(Done.Intersect(rows));

    bool IsExpired(Entry entry) => time.GetElapsedTime(entry.RenewedAt) > options.Duration;

    bool IsStuck(Entry entry) => WatchesProgress && time.GetElapsedTime(entry.AdvancedAt) > options.ProgressWithin;

    sealed class Entry(Lease lease)
    {
        public Lease Lease { get; } = lease;

        public long GivenAt { get; init; }

        public long RenewedAt { get; set; }

        public long AdvancedAt { get; set; }

        public long Evaluations { get; set; }
    }
}

/// <summary>A lease, and how far it is.</summary>
/// <param name="Age">Since it was given, or taken up by this activation.</param>
/// <param name="SinceAdvance">Since its worker said last that it got on.</param>
/// <param name="Evaluations">As its worker said last.</param>
readonly record struct LeaseProgress(Lease Lease, TimeSpan Age, TimeSpan SinceAdvance, long Evaluations);

namespace Taba.Silo.Checkpoints;

/// <summary>The records of one sample that are of use: those with captures, and the newest. Guarded by the index's lock.</summary>
sealed class CheckpointChain
{
    public string KeepDigest { get; set; } = "";

    public List<CheckpointLink> Links { get; } = [];

    public int CapturedRows => Links.Sum(l => l.Captures);

    /// <summary>Takes links out for good.</summary>
    public void Truncate(int first)
    {
        foreach (var link in Links.Skip(first))
            link.Drop();
        Links.RemoveRange(first, Links.Count - first);
    }

    /// <summary>Takes links out as soon as another record is durable.</summary>
    public void Supersede(int first, CheckpointLink by)
    {
        foreach (var link in Links.Skip(first))
            link.SupersededBy(by);
        Links.RemoveRange(first, Links.Count - first);
    }
}

/// <summary>A record of a chain: in memory while it waits for the disk, then a place in a file. Guarded by the index's lock.</summary>
sealed class CheckpointLink(CheckpointRecord record, int earlierCaptures)
{
    readonly List<CheckpointLink> _supersedes = [];

    public int NextStep { get; } = record.NextStep;

    public int Captures { get; } = record.Captures.Count;

    /// <summary>Captured rows in the records that this one continues.</summary>
    public int EarlierCaptures { get; } = earlierCaptures;

    /// <summary>The record itself until it is on disk.</summary>
    public CheckpointRecord? Pending { get; private set; } = record;

    public SegmentFile? Segment { get; private set; }

    public long Offset { get; private set; }

    public int Size { get; private set; }

    /// <summary>Nobody wants it any more: if it still waits, it need not be written.</summary>
    public bool Dropped { get; private set; }

    /// <summary>The record is durable at this place, and what it supersedes goes.</summary>
    public void Settle(SegmentFile segment, long offset, int size)
    {
        (Segment, Offset, Size, Pending) = (segment, offset, size, null);
        if (Dropped)
            return;
        segment.Live++;
        DropSuperseded();
    }

    /// <summary>Drops it, and what waited for it to become durable.</summary>
    public void Drop()
    {
        DropSuperseded();
        if (Dropped)
            return;
        Dropped = true;
        if (Segment is not null)
            Segment.Live--;
    }

    /// <summary>
    /// Another record takes its place. Until that one is durable this one keeps its file alive; one that was not written
    /// itself hands on what it was keeping alive.
    /// </summary>
    public void SupersededBy(CheckpointLink other)
    {
        if (Segment is not null)
        {
            other._supersedes.Add(this);
            return;
        }
        Dropped = true;
        other._supersedes.AddRange(_supersedes);
        _supersedes.Clear();
    }

    void DropSuperseded()
    {
        foreach (var link in _supersedes)
            link.Drop();
        _supersedes.Clear();
    }
}

/// <summary>A link as it was when its chain was held for reading.</summary>
readonly record struct HeldLink(CheckpointLink Link, CheckpointRecord? Pending, SegmentFile? Segment, long Offset, int Size);

namespace Taba.Silo.Checkpoints;

/// <summary>
/// The places of each sample's records. A sample has a chain: the records whose captures are wanted, and the newest, whose
/// state is. Everything is guarded by one lock, held for moments; files are read outside it.
/// </summary>
sealed class CheckpointIndex
{
    readonly Lock _gate = new();
    readonly Dictionary<string, Dictionary<int, CheckpointChain>> _stages = [];

    /// <summary>Adds a record that is about to be written, and hands it to the queue in the same order.</summary>
    /// <param name="startsAnew">It continues nothing, whatever is there.</param>
    public void Add(CheckpointRecord record, bool startsAnew, Action<CheckpointLink> enqueue)
    {
        lock (_gate)
        {
            var earlier = !startsAnew && ChainOf(record) is { } chain && chain.KeepDigest == record.KeepDigest
                && record.NextStep > chain.Links[^1].NextStep
                ? chain.CapturedRows
                : 0;
            var link = new CheckpointLink(record, earlier);
            enqueue(link);
            Append(record, link);
        }
    }

    /// <summary>Adds a record found in a file. One whose predecessors are lost is of no use: its captures would have gaps.</summary>
    public void Restore(DecodedRecord decoded, SegmentFile segment, long offset, int size)
    {
        lock (_gate)
        {
            var (record, earlier) = (decoded.Record, decoded.EarlierCaptures);
            if (earlier > 0 && (ChainOf(record) is not { } chain
                || chain.KeepDigest != record.KeepDigest || chain.CapturedRows != earlier || record.NextStep <= chain.Links[^1].NextStep))
                return;
            var link = new CheckpointLink(record, earlier);
            Append(record, link);
            link.Settle(segment, offset, size);
        }
    }

    /// <summary>The record is on disk: the index points there from now on, and what it supersedes may go.</summary>
    public void Written(CheckpointLink link, SegmentFile segment, long offset, int size)
    {
        lock (_gate)
            link.Settle(segment, offset, size);
    }

    /// <summary>True when a record still has to be written. When a batch is tried again, some may be written already.</summary>
    public bool IsWanted(CheckpointLink link)
    {
        lock (_gate)
            return link is { Dropped: false, Pending: not null };
    }

    /// <summary>The chain of a sample, with its segments held open for reading until <see cref="Release"/>.</summary>
    public (string KeepDigest, HeldLink[] Sources)? Hold(string stageKey, int sample)
    {
        lock (_gate)
        {
            if (!_stages.TryGetValue(stageKey, out var samples) || !samples.TryGetValue(sample, out var chain))
                return null;
            var sources = chain.Links.Select(l => new HeldLink(l, l.Pending, l.Segment, l.Offset, l.Size)).ToArray();
            foreach (var source in sources)
            {
                if (source.Segment is { } segment)
                    segment.Readers++;
            }
            return (chain.KeepDigest, sources);
        }
    }

    /// <summary>Ends a <see cref="Hold"/>. Links that turned out damaged are taken out, with all that follow them.</summary>
    /// <returns>Whether a file may have become unneeded.</returns>
    public bool Release(string stageKey, int sample, HeldLink[] sources, int readable)
    {
        lock (_gate)
        {
            foreach (var source in sources)
            {
                if (source.Segment is { } segment)
                    segment.Readers--;
            }
            if (readable < sources.Length
                && _stages.TryGetValue(stageKey, out var samples) && samples.TryGetValue(sample, out var chain)
                && chain.Links.IndexOf(sources[readable].Link) is >= 0 and var first)
            {
                chain.Truncate(first);
                if (chain.Links.Count == 0)
                    samples.Remove(sample);
            }
            return sources.Any(s => s.Segment is { MayGo: true });
        }
    }

    /// <summary>Drops the records of published rows, and tells the queue in the same order.</summary>
    public void Forget(string stageKey, RowRange rows, Action enqueue)
    {
        lock (_gate)
        {
            if (!_stages.TryGetValue(stageKey, out var samples))
                return;
            var forgotten = samples.Keys.Where(s => s >= rows.Start && s < rows.End).ToList();
            foreach (var sample in forgotten)
            {
                samples[sample].Truncate(0);
                samples.Remove(sample);
            }
            if (samples.Count == 0)
                _stages.Remove(stageKey);
            if (forgotten.Count > 0)
                enqueue();
        }
    }

    /// <summary>The step at which a sample would go on; null when nothing is known of it.</summary>
    public int? NextStep(string stageKey, int sample)
    {
        lock (_gate)
            return ChainOf(stageKey, sample)?.Links[^1].NextStep;
    }

    /// <summary>The selection that a sample's records were made for; null when there are none.</summary>
    public string? KeepDigestOf(string stageKey, int sample)
    {
        lock (_gate)
            return ChainOf(stageKey, sample)?.KeepDigest;
    }

    /// <summary>The samples that have a checkpoint, by stage.</summary>
    public IReadOnlyDictionary<string, RowSet> Held()
    {
        lock (_gate)
            return _stages.ToDictionary(s => s.Key, s => RowSet.Of([.. s.Value.Keys.Order().Select(i => new RowRange(i, i + 1))]));
    }

    /// <summary>Of these segments, those that nothing needs any more.</summary>
    public List<SegmentFile> Unneeded(IEnumerable<SegmentFile> segments)
    {
        lock (_gate)
            return [.. segments.Where(s => s.MayGo)];
    }

    /// <summary>The writer goes on to another file.</summary>
    public void Finished(SegmentFile segment)
    {
        lock (_gate)
            segment.Growing = false;
    }

    CheckpointChain? ChainOf(CheckpointRecord record) => ChainOf(record.StageKey, record.Sample);

    CheckpointChain? ChainOf(string stageKey, int sample) => _stages.GetValueOrDefault(stageKey)?.GetValueOrDefault(sample);

    void Append(CheckpointRecord record, CheckpointLink link)
    {
        if (!_stages.TryGetValue(record.StageKey, out var samples))
            _stages[record.StageKey] = samples = [];
        if (!samples.TryGetValue(record.Sample, out var chain))
            samples[record.Sample] = chain = new();
        // A record that continues nothing replaces what was there, even where what was there had no captures to lose.
        if (link.EarlierCaptures == 0)
            chain.Supersede(0, link);
        // Only the newest state is of use: an older record stays for its captures, or not at all.
        else if (chain.Links[^1].Captures == 0)
            chain.Supersede(chain.Links.Count - 1, link);
        chain.KeepDigest = record.KeepDigest;
        chain.Links.Add(link);
    }
}

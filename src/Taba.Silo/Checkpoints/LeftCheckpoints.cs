namespace Taba.Silo.Checkpoints;

/// <summary>
/// The checkpoints that other workers left. Each one's segments are scanned once, and again from their old end when they grew.
/// The index holds places, not tensors. One caller at a time.
/// </summary>
sealed class LeftCheckpoints(ISegmentPlace place)
{
    readonly Dictionary<string, Worker> _workers = [];

    public Worker Of(string name)
    {
        if (!_workers.TryGetValue(name, out var worker))
            _workers[name] = worker = new(place.Of(name));
        worker.Refresh();
        return worker;
    }

    /// <summary>Nothing of a worker is left to be read.</summary>
    public void Drop(string name) => _workers.Remove(name);

    public sealed class Worker(ISegmentArea area)
    {
        readonly Dictionary<string, (SegmentFile Segment, long Scanned)> _segments = [];

        public CheckpointIndex Index { get; } = new();

        public bool IsEmpty => _segments.Count == 0;

        /// <summary>Takes in what was appended since the last time.</summary>
        public void Refresh()
        {
            var entries = area.List();
            foreach (var gone in _segments.Keys.Except(entries.Select(e => e.Name)).ToList())
                _segments.Remove(gone);
            foreach (var entry in entries)
            {
                var (segment, scanned) = _segments.TryGetValue(entry.Name, out var known) ? known : (new SegmentFile(area, entry.Name), 0);
                if (entry.Bytes > scanned)
                {
                    foreach (var (offset, size, decoded) in segment.Scan(scanned))
                    {
                        Index.Restore(decoded, segment, offset, size);
                        scanned = offset + size;
                    }
                }
                _segments[entry.Name] = (segment, scanned);
            }
        }

        /// <summary>The readable records of a sample, oldest first.</summary>
        public List<CheckpointRecord> Read(string stageKey, int sample)
        {
            var records = new List<CheckpointRecord>();
            if (Index.Hold(stageKey, sample) is not var (_, links))
                return records;
            foreach (var link in links)
            {
                if (link.Segment!.Read(link.Offset, link.Size)?.Record is not { } record || record.StageKey != stageKey
                    || record.Sample != sample)
                    break;
                records.Add(record);
            }
            Index.Release(stageKey, sample, links, records.Count);
            return records;
        }

        /// <summary>Deletes the segments that hold nothing of use, and those that nobody touched since a moment.</summary>
        /// <returns>Segments deleted.</returns>
        public int Clear(DateTimeOffset untouchedSince)
        {
            var unneeded = Index.Unneeded(_segments.Values.Select(s => s.Segment)).Select(s => s.Name).ToHashSet();
            foreach (var entry in area.List().Where(e => e.LastWrite < untouchedSince))
                unneeded.Add(entry.Name);
            foreach (var name in unneeded)
            {
                area.Delete(name);
                _segments.Remove(name);
            }
            if (IsEmpty)
                area.DeleteIfEmpty();
            return unneeded.Count;
        }
    }
}

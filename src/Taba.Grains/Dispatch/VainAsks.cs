namespace Taba.Grains.Dispatch;

/// <summary>
/// Workers that have room and found nothing, since when. A worker whose slots are full still asks for parts without steps, and one without
/// a device asks for nothing else: each kind of room by itself. One thread at a time.
/// </summary>
sealed class VainAsks(TimeProvider time)
{
    readonly Dictionary<string, long> _rows = [];
    readonly Dictionary<string, long> _parts = [];

    /// <summary>Workers that have room for rows with steps.</summary>
    public int ForRows => _rows.Count;

    /// <summary>Workers that have room for parts without steps.</summary>
    public int ForParts => _parts.Count;

    /// <summary>A worker asks, and has this room; what it waited for before counts from then.</summary>
    /// <param name="inVain">There is nothing for it now. False where that is not known yet.</param>
    public void Asks(WorkAsk ask, bool inVain)
    {
        Note(_rows, ask.Worker, ask.Rows > 0, inVain);
        Note(_parts, ask.Worker, ask.AutoencoderParts > 0, inVain);
    }

    /// <summary>It found something, or is gone.</summary>
    public void Ended(string worker)
    {
        _rows.Remove(worker);
        _parts.Remove(worker);
    }

    /// <summary>How long it has had room for rows with steps and found nothing; null when it has none, or found something last.</summary>
    public TimeSpan? ForRowsSince(string worker) => _rows.TryGetValue(worker, out var since) ? time.GetElapsedTime(since) : null;

    void Note(Dictionary<string, long> since, string worker, bool hasRoom, bool inVain)
    {
        if (!hasRoom)
            since.Remove(worker);
        else if (inVain)
            since.TryAdd(worker, time.GetTimestamp());
    }
}

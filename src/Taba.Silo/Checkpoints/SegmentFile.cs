namespace Taba.Silo.Checkpoints;

/// <summary>A segment and how much of it is still wanted. Its counts are guarded by the index's lock.</summary>
sealed class SegmentFile(ISegmentArea area, string name)
{
    public string Name { get; } = name;

    /// <summary>Records that the index still points at.</summary>
    public int Live { get; set; }

    /// <summary>Readers that have it open.</summary>
    public int Readers { get; set; }

    /// <summary>True while the writer appends to it.</summary>
    public bool Growing { get; set; }

    public bool MayGo => Live == 0 && Readers == 0 && !Growing;

    /// <summary>
    /// Reads records in order, up to the first that is torn or damaged. What follows a damaged record cannot be found, and
    /// costs at most the steps it would have saved.
    /// </summary>
    /// <param name="from">Where a record begins; 0 for the first.</param>
    public IEnumerable<(long Offset, int Size, DecodedRecord Decoded)> Scan(long from = 0)
    {
        using var source = area.Open(Name);
        if (source is null)
            yield break;
        var header = new byte[SegmentFormat.FileHeaderBytes];
        if (source.Length < header.Length || !source.TryRead(0, header) || !SegmentFormat.IsFileHeader(header))
            yield break;
        var fixedPart = new byte[SegmentFormat.FixedBytes];
        var buffer = Array.Empty<byte>();
        var offset = Math.Max(from, header.Length);
        while (offset + fixedPart.Length <= source.Length)
        {
            if (!source.TryRead(offset, fixedPart) || SegmentFormat.ClaimedSize(fixedPart) is not { } size || size > source.Length - offset)
                yield break;
            if (buffer.Length < size)
                buffer = new byte[size];
            if (!source.TryRead(offset, buffer.AsSpan(0, size)) || SegmentFormat.Decode(buffer.AsMemory(0, size)) is not { } decoded)
                yield break;
            yield return (offset, size, decoded);
            offset += size;
        }
    }

    /// <summary>Reads one record; null when it is damaged or gone.</summary>
    public DecodedRecord? Read(long offset, int size)
    {
        try
        {
            using var source = area.Open(Name);
            var bytes = new byte[size];
            return source is not null && source.TryRead(offset, bytes) ? SegmentFormat.Decode(bytes) : null;
        }
        catch (Exception exception) when (Storage.DiskErrors.IsDisk(exception) || exception is Storage.StoreException)
        {
            // A checkpoint only saves work: without it the sample begins anew.
            return null;
        }
    }
}

namespace Taba.Silo.Checkpoints;

/// <summary>The place of a store's checkpoints: an area for each worker, which that worker alone writes.</summary>
interface ISegmentPlace
{
    /// <summary>The area of a worker. It may be empty.</summary>
    ISegmentArea Of(string worker);

    /// <summary>The workers that left something.</summary>
    IReadOnlyList<string> Workers();
}

/// <summary>
/// The segments of one worker. Calls may wait for a disk or a network: never in a grain's turn, never on an engine's thread.
/// </summary>
interface ISegmentArea
{
    /// <summary>Its address, for messages.</summary>
    string Where { get; }

    /// <summary>Names of the segments in the order of time, with their bytes and the time of the last write.</summary>
    IReadOnlyList<SegmentEntry> List();

    /// <summary>Opens a segment for reading; null, or one without bytes, when it is gone.</summary>
    ISegmentSource? Open(string name);

    /// <summary>Begins a segment that did not exist.</summary>
    ISegmentAppender Begin(string name);

    /// <summary>True when a segment can still be appended to. One without a record that is wanted may have been cleared away.</summary>
    bool Exists(string name);

    /// <summary>Deletes a segment; nothing happens when it is gone.</summary>
    void Delete(string name);

    /// <summary>Deletes the area when nothing is in it.</summary>
    void DeleteIfEmpty();
}

/// <summary>A segment as it is listed.</summary>
readonly record struct SegmentEntry(string Name, long Bytes, DateTimeOffset LastWrite);

/// <summary>Reads a segment at any offset.</summary>
interface ISegmentSource : IDisposable
{
    /// <summary>Bytes when it was opened; it may grow.</summary>
    long Length { get; }

    /// <summary>Fills the buffer; false when the segment ends before.</summary>
    bool TryRead(long offset, Span<byte> buffer);
}

/// <summary>Appends to a segment.</summary>
interface ISegmentAppender : IDisposable
{
    /// <summary>Bytes so far.</summary>
    long Length { get; }

    /// <summary>True when it takes no more, whatever its length.</summary>
    bool IsFull => false;

    void Append(IReadOnlyList<ReadOnlyMemory<byte>> buffers);

    /// <summary>Makes durable what was appended.</summary>
    void Flush();
}

namespace Taba.Storage.Objects;

/// <summary>
/// The little that a store needs of a place, be it a folder or a container of Azure Blob storage: objects under names with slashes. An
/// object is whole or absent. What is durable is built on these few calls once, for every place (docs/adr/0009-one-store-algebra.md).
/// </summary>
/// <remarks>
/// A name is one or more segments with a slash between them; a segment is not empty, not a dot or two, and holds no backslash and no
/// control character. Every call may fail with a <see cref="StoreException"/>, and one that fails has an unknown outcome. None belongs in a
/// grain's turn. Safe for several threads.
/// </remarks>
public interface IObjectStore
{
    /// <summary>A path or an address, for people.</summary>
    string Place { get; }

    /// <summary>The whole path or address of an object, for people.</summary>
    string Where(string name);

    /// <summary>A folder of this machine where files for <see cref="PutAsync"/> are written.</summary>
    string Scratch { get; }

    /// <summary>
    /// Makes a finished file below <see cref="Scratch"/> the object of a name that nobody else uses; the file is gone afterwards.
    /// </summary>
    Task PutAsync(string name, string file, CancellationToken cancellationToken);

    /// <summary>
    /// Creates a small object unless its name is taken. Of all who try at once, wherever they are, one succeeds: this is the compare and
    /// swap on which everything rests.
    /// </summary>
    /// <returns>
    /// False when the name is taken: perhaps by an earlier request of this very call, whose answer was lost.
    /// </returns>
    Task<bool> TryCreateAsync(string name, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken);

    /// <summary>Writes an object of a few MiB as a whole, in the place of one that has its name.</summary>
    Task ReplaceAsync(string name, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken);

    /// <summary>Begins an object that is too large to be held in memory.</summary>
    /// <param name="bytes">About how large it will be.</param>
    IObjectWriter Create(string name, long bytes);

    /// <summary>All bytes of a small object; null when there is none of that name.</summary>
    /// <param name="mostBytes">A larger one is refused: sizes are not taken on trust.</param>
    Task<byte[]?> ReadAsync(string name, int mostBytes, CancellationToken cancellationToken);

    /// <summary>Opens an object to be read at any offset; null when there is none of that name. May wait for the network.</summary>
    IObjectReader? Open(string name);

    /// <summary>Bytes of an object; null when there is none of that name.</summary>
    Task<long?> LengthAsync(string name, CancellationToken cancellationToken);

    /// <summary>The objects whose names begin with a prefix that ends in a slash, in the order of their names, page by page.</summary>
    IAsyncEnumerable<StoredObject> ListAsync(string prefix, CancellationToken cancellationToken);

    /// <summary>The next segments of the names that begin with a prefix and go on with a slash, in order.</summary>
    IAsyncEnumerable<string> FoldersAsync(string prefix, CancellationToken cancellationToken);

    /// <summary>Deletes an object, if it is there.</summary>
    Task DeleteAsync(string name, CancellationToken cancellationToken);

    /// <summary>Deletes every object whose name begins with a prefix that ends in a slash.</summary>
    /// <returns>The number of objects deleted.</returns>
    Task<int> DeleteAllAsync(string prefix, CancellationToken cancellationToken);

    /// <summary>Deletes what writers that were killed left half-written right below a prefix. Only where nobody writes.</summary>
    /// <param name="of">
    /// Only of objects with these last segments, which nobody writes; a place that keeps all that is unfinished together looks at nothing
    /// else.
    /// </param>
    void DeleteUnfinished(string prefix, Func<string, bool>? of = null);

    /// <summary>The path of an object on this machine, there or not; null where objects have none.</summary>
    string? LocalPath(string name);
}

/// <summary>An object in a list.</summary>
public readonly record struct StoredObject(string Name, long Bytes, DateTimeOffset LastWrite);

/// <summary>Reads an object at any offset; safe for several threads.</summary>
public interface IObjectReader : IDisposable
{
    long Length { get; }

    /// <summary>Fills the buffer or throws.</summary>
    void Read(long offset, Span<byte> buffer);
}

/// <summary>Takes the bytes of one object from its first to its last. Disposed before it is complete it leaves what had the name.</summary>
public interface IObjectWriter : IDisposable
{
    /// <summary>Appends bytes.</summary>
    void Write(ReadOnlySpan<byte> bytes);

    /// <summary>Makes the object durable and gives it its name.</summary>
    /// <param name="head">The first bytes as they are in the end, at most 64 KiB; empty leaves them as they were written.</param>
    void Complete(ReadOnlySpan<byte> head);
}

using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Taba.Storage.Objects;

namespace Taba.Testing.Stores;

/// <summary>A place whose calls are counted, and can be held, changed or made to fail before they reach it.</summary>
public class ObservedObjects(IObjectStore inner) : IObjectStore
{
    readonly ConcurrentQueue<(string Call, string Name)> _calls = [];

    /// <summary>Awaited before each call that waits for the place: its kind and its name.</summary>
    public Func<string, string, Task>? Before { get; set; }

    /// <summary>The calls so far: create, delete, delete-all, folders, length, list, open, put, read, replace, write.</summary>
    public IReadOnlyCollection<(string Call, string Name)> Calls => _calls;

    /// <summary>Forgets the calls so far.</summary>
    public void Clear() => _calls.Clear();

    public string Place => inner.Place;

    public string Scratch => inner.Scratch;

    public string Where(string name) => inner.Where(name);

    public string? LocalPath(string name) => inner.LocalPath(name);

    public virtual async Task PutAsync(string name, string file, CancellationToken cancellationToken)
    {
        await NoteAsync("put", name);
        await inner.PutAsync(name, file, cancellationToken);
    }

    public virtual async Task<bool> TryCreateAsync(string name, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        await NoteAsync("create", name);
        return await inner.TryCreateAsync(name, bytes, cancellationToken);
    }

    public virtual async Task ReplaceAsync(string name, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        await NoteAsync("replace", name);
        await inner.ReplaceAsync(name, bytes, cancellationToken);
    }

    public virtual IObjectWriter Create(string name, long bytes)
    {
        _calls.Enqueue(("write", name));
        return inner.Create(name, bytes);
    }

    public virtual async Task<byte[]?> ReadAsync(string name, int mostBytes, CancellationToken cancellationToken)
    {
        await NoteAsync("read", name);
        return await inner.ReadAsync(name, mostBytes, cancellationToken);
    }

    public virtual IObjectReader? Open(string name)
    {
        _calls.Enqueue(("open", name));
        return inner.Open(name);
    }

    public virtual async Task<long?> LengthAsync(string name, CancellationToken cancellationToken)
    {
        await NoteAsync("length", name);
        return await inner.LengthAsync(name, cancellationToken);
    }

    public virtual async IAsyncEnumerable<StoredObject> ListAsync(
        string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await NoteAsync("list", prefix);
        await foreach (var item in inner.ListAsync(prefix, cancellationToken))
            yield return item;
    }

    public virtual async IAsyncEnumerable<string> FoldersAsync(
        string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await NoteAsync("folders", prefix);
        await foreach (var folder in inner.FoldersAsync(prefix, cancellationToken))
            yield return folder;
    }

    public virtual async Task DeleteAsync(string name, CancellationToken cancellationToken)
    {
        await NoteAsync("delete", name);
        await inner.DeleteAsync(name, cancellationToken);
    }

    public virtual async Task<int> DeleteAllAsync(string prefix, CancellationToken cancellationToken)
    {
        await NoteAsync("delete-all", prefix);
        return await inner.DeleteAllAsync(prefix, cancellationToken);
    }

    public void DeleteUnfinished(string prefix, Func<string, bool>? of = null) => inner.DeleteUnfinished(prefix, of);

    async Task NoteAsync(string call, string name)
    {
        _calls.Enqueue((call, name));
        if (Before is { } before)
            await before(call, name);
    }
}

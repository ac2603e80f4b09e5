using System.Collections.Concurrent;
using Taba.Storage.Objects;
using Taba.Testing.Stores;

namespace Taba.Scale;

/// <summary>
/// An empty place that is filled by one writer: nothing that is written waits for the disk, and nothing is asked for that the writer knows.
/// What lies there afterwards is what a silo's own publications leave.
/// </summary>
sealed class FillingObjects(IObjectStore place) : ObservedObjects(place)
{
    readonly ConcurrentDictionary<string, long> _lengths = new();

    public override async Task PutAsync(string name, string file, CancellationToken cancellationToken)
    {
        _lengths[name] = new FileInfo(file).Length;
        if (PathOf(name) is { } path)
            File.Move(file, path);
        else
            await base.PutAsync(name, file, cancellationToken);
    }

    public override async Task<bool> TryCreateAsync(string name, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        if (PathOf(name) is not { } path)
            return await base.TryCreateAsync(name, bytes, cancellationToken);
        await File.WriteAllBytesAsync(path, bytes, cancellationToken);
        return true;
    }

    public override async Task<long?> LengthAsync(string name, CancellationToken cancellationToken) =>
        _lengths.TryRemove(name, out var length) ? length : await base.LengthAsync(name, cancellationToken);

    public override IAsyncEnumerable<StoredObject> ListAsync(string prefix, CancellationToken cancellationToken) =>
        AsyncEnumerable.Empty<StoredObject>();

    string? PathOf(string name)
    {
        if (LocalPath(name) is { } path)
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        return LocalPath(name);
    }
}

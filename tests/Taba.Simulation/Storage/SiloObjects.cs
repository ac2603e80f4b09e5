using System.Runtime.CompilerServices;
using Taba.Simulation.Cluster;
using Taba.Storage.Objects;

namespace Taba.Simulation.Storage;

/// <summary>
/// The store's place as one silo reaches it: each call takes a moment before and after what it does, and may fail in either.
/// </summary>
sealed class SiloObjects(SimSilo silo, MemoryObjects objects) : IObjectStore
{
    static readonly DateTimeOffset s_epoch = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public string Place => "the simulated store";

    // Nothing is ever there.
    public string Scratch => "/proc/taba-simulation";

    public string Where(string name) => name;

    public string? LocalPath(string name) => null;

    public Task PutAsync(string name, string file, CancellationToken cancellationToken) =>
        throw new NotSupportedException("Results are put by their bytes.");

    /// <summary>Makes bytes an object, as a scratch file would become one.</summary>
    public async Task PutBytesAsync(string name, byte[] bytes)
    {
        await PointAsync();
        objects.Write(name, bytes);
        await PointAsync();
    }

    public async Task<bool> TryCreateAsync(string name, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        var copy = bytes.ToArray();
        await PointAsync();
        var created = objects.Find(name) is null;
        if (created)
        {
            silo.World.Note("creates", silo, name);
            objects.Write(name, copy);
        }
        await PointAsync();
        return created;
    }

    public async Task ReplaceAsync(string name, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        var copy = bytes.ToArray();
        await PointAsync();
        objects.Write(name, copy);
        await PointAsync();
    }

    public IObjectWriter Create(string name, long bytes) => throw new NotSupportedException();

    public async Task<byte[]?> ReadAsync(string name, int mostBytes, CancellationToken cancellationToken)
    {
        await PointAsync();
        var bytes = objects.Find(name);
        if (bytes?.Length > mostBytes)
            throw new ObjectTooLargeException(name, bytes.Length, mostBytes);
        return bytes?.ToArray();
    }

    public IObjectReader? Open(string name)
    {
        Fail();
        return objects.Find(name) is { } bytes ? new Reader(bytes) : null;
    }

    public async Task<long?> LengthAsync(string name, CancellationToken cancellationToken)
    {
        await PointAsync();
        return objects.Find(name)?.Length;
    }

    public async IAsyncEnumerable<StoredObject> ListAsync(
        string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await PointAsync();
        foreach (var name in objects.Under(prefix))
        {
            if (objects.Find(name) is { } bytes)
                yield return new(name, bytes.Length, s_epoch + TimeSpan.FromTicks(objects.WrittenAt(name)));
        }
    }

    public async IAsyncEnumerable<string> FoldersAsync(
        string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await PointAsync();
        foreach (var folder in objects.Under(prefix).Select(n => n[prefix.Length..]).Where(n => n.Contains('/')).Select(
            n => n[..n.IndexOf('/', StringComparison.Ordinal)]).Distinct())
            yield return folder;
    }

    public async Task DeleteAsync(string name, CancellationToken cancellationToken)
    {
        await PointAsync();
        objects.Delete(name);
        await PointAsync();
    }

    public async Task<int> DeleteAllAsync(string prefix, CancellationToken cancellationToken)
    {
        await PointAsync();
        return objects.Under(prefix).Count(objects.Delete);
    }

    public void DeleteUnfinished(string prefix, Func<string, bool>? of = null)
    {
        // Nothing is ever half-written here.
    }

    async Task PointAsync()
    {
        var random = silo.World.Random;
        if (objects.Stalls > 0 && random.Chance(objects.Stalls))
            await Task.Delay(random.Seconds(0.1, 8), silo.Time);
        else if (random.Chance(0.5))
            await Task.Delay(random.Seconds(0.0002, 0.005), silo.Time);
        Fail();
    }

    void Fail()
    {
        if (objects.Failures > 0 && silo.World.Random.Chance(objects.Failures))
            throw new StoreException("the simulated store did not answer");
    }

    sealed class Reader(byte[] bytes) : IObjectReader
    {
        public long Length => bytes.Length;

        public void Read(long offset, Span<byte> buffer)
        {
            if (offset + buffer.Length > bytes.Length)
                throw new StoreException("the object ends before its end");
            bytes.AsSpan((int)offset, buffer.Length).CopyTo(buffer);
        }

        public void Dispose()
        {
        }
    }
}

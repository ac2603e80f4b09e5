using System.Buffers;
using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Caching.Memory;
using Taba.Silo.Pictures;
using Taba.Silo.Web.Json;
using Taba.Silo.Web.Live;
using Taba.Storage.Manifests;
using Taba.Storage.Objects;

namespace Taba.Silo.Web.Samples;

/// <summary>
/// Published rows as PNG. A picture costs the reading of one cell's document and of one row: the object's digest is not checked, for that
/// all its rows would have to be read. Few are drawn at a time, on threads of the pool.
/// </summary>
sealed class SamplePictures : IDisposable
{
    /// <summary>A silo has other things to do.</summary>
    const int DrawnAtATime = 2;

    /// <summary>Who comes after these has to ask again.</summary>
    const int MostWaiting = 128;

    const int CacheBytes = 8 << 20;
    const int LargestSide = 1024;
    const int LargestScale = 8;
    const int MostCells = 256;

    static readonly TimeSpan s_fresh = TimeSpan.FromSeconds(1);

    readonly TensorStore _store;
    readonly SharedReads<(string Key, int Cell), ImmutableArray<PartManifest>> _cells;
    readonly SemaphoreSlim _drawing = new(DrawnAtATime);
    readonly MemoryCache _drawn = new(new MemoryCacheOptions { SizeLimit = CacheBytes });
    int _waiting;

    public SamplePictures(TensorStore store, TimeProvider time) => (_store, _cells) = (store, new(s_fresh, MostCells, time));

    /// <summary>Where a row is; null while it is not published, and for rows that are no pictures.</summary>
    /// <exception cref="StoreException">The store does not answer.</exception>
    public async Task<SampleRow?> FindAsync(string stageKey, int row)
    {
        var cell = CellGrid.StartOf(row);
        var manifests = await _cells.GetAsync(
            (stageKey, cell), () => _store.ListAsync(stageKey, CellGrid.RowsOf(cell), CancellationToken.None));
        return SampleRow.Find(manifests, row);
    }

    /// <summary>The scale that is drawn: as asked for, as far as the picture does not get too large.</summary>
    public static int ScaleOf(SampleRow row, int asked) =>
        Math.Clamp(asked, 1, Math.Max(1, Math.Min(LargestScale, LargestSide / Math.Max(row.Shape.Height, row.Shape.Width))));

    /// <summary>The PNG of a row, at most 1024 pixels a side; null when too many are asked for at once.</summary>
    /// <exception cref="StoreException">The object is gone, or the store does not answer.</exception>
    public async Task<byte[]?> DrawAsync(SampleRow row, int scale, CancellationToken cancellationToken)
    {
        var key = (row.Digest, row.Row, row.Offset, scale);
        if (_drawn.TryGetValue(key, out byte[]? known))
            return known;
        try
        {
            if (Interlocked.Increment(ref _waiting) > MostWaiting)
                return null;
            await _drawing.WaitAsync(cancellationToken);
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
        // It holds its place until it ends, also when nobody waits for it any more: a store that hangs must not collect threads.
        var drawing = Task.Run(() => Draw(row, scale), CancellationToken.None);
        _ = drawing.ContinueWith(
            _ => _drawing.Release(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        var png = await drawing.WaitAsync(Answers.Patience, cancellationToken);
        _drawn.Set(key, png, new MemoryCacheEntryOptions { Size = png.Length });
        return png;
    }

    public void Dispose()
    {
        _drawn.Dispose();
        _drawing.Dispose();
    }

    byte[] Draw(SampleRow row, int scale)
    {
        var bytes = ArrayPool<byte>.Shared.Rent((int)row.Shape.Bytes);
        try
        {
            var own = bytes.AsSpan(0, (int)row.Shape.Bytes);
            using (var reader = _store.Open(row.Path) ?? throw new StoreException($"the object {_store.Where(row.Path)} is gone"))
            {
                if (reader.Length < row.Offset + own.Length)
                    throw new StoreException($"the object {_store.Where(row.Path)} is shorter than its manifest says");
                reader.Read(row.Offset, own);
            }
            var values = MemoryMarshal.Cast<byte, float>(own);
            var (channels, height, width) = (row.Shape.Channels, row.Shape.Height, row.Shape.Width);
            if (Math.Max(height, width) <= LargestSide)
                return PictureGrid.Single(values, channels, height, width, row.Range, scale);
            var every = (Math.Max(height, width) + LargestSide - 1) / LargestSide;
            var (fewer, small) = ((height + every - 1) / every, (width + every - 1) / every);
            return PictureGrid.Single(Thinned(values, channels, height, width, every), channels, fewer, small, row.Range);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    /// <summary>Every so many pixels of each line and column.</summary>
    static float[] Thinned(ReadOnlySpan<float> values, int channels, int height, int width, int every)
    {
        var thinned = new List<float>();
        for (var c = 0; c < channels; c++)
        {
            for (var y = 0; y < height; y += every)
            {
                for (var x = 0; x < width; x += every)
                    thinned.Add(values[(c * height + y) * width + x]);
            }
        }
        return [.. thinned];
    }
}

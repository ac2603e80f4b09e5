using System.IO.Hashing;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Taba.Storage.Objects;

namespace Taba.Silo.Rows;

/// <summary>
/// What a part keeps of its steps while it runs: for each kind of tensor a scratch file [steps, rows, C, H, W] of float32 without a header,
/// so that memory does not grow with the number of steps. The files outlive an attempt: the next one on this machine goes on with them.
/// Safe for several threads.
/// </summary>
/// <param name="keep">The steps of each kind.</param>
/// <param name="rows">The rows of the attempt.</param>
/// <param name="rowBytes">Bytes of a row of one step.</param>
sealed class PartCaptures(CaptureSelection keep, RowRange rows, int rowBytes) : IDisposable
{
    readonly Lock _gate = new();
    readonly Dictionary<TensorKinds, SafeFileHandle> _files = [];
    string _folder = "";

    /// <summary>The name of a scratch file. A file of another selection has another name, and is not taken for this one.</summary>
    public static string FileOf(CaptureSelection keep, TensorKinds kind)
    {
        var text = string.Join(';', keep.Kinds.Select(k => $"{k}:{string.Join(',', keep.Steps(k))}"));
        var digest = Convert.ToHexStringLower(XxHash64.Hash(MemoryMarshal.AsBytes(text.AsSpan())));
        return $"raw_{kind.ToString().ToLowerInvariant()}_{digest}";
    }

    /// <summary>Creates the scratch file of a kind.</summary>
    /// <exception cref="StoreException">It cannot be created.</exception>
    public void Open(TensorKinds kind, string path)
    {
        _folder = Path.GetDirectoryName(path) ?? path;
        var file = StoreErrors.Guard(path, () => File.OpenHandle(path, FileMode.Create, FileAccess.ReadWrite, FileShare.Read));
        lock (_gate)
            _files[kind] = file;
    }

    /// <summary>Writes the row of a sample after a step.</summary>
    /// <exception cref="StoreException">The disk failed.</exception>
    public void Write(int sample, int step, TensorKinds kind, ReadOnlySpan<byte> row)
    {
        try
        {
            RandomAccess.Write(Of(kind), row, Offset(keep, rows, kind, step, sample));
        }
        catch (IOException exception)
        {
            throw StoreErrors.Wrap(exception, _folder);
        }
    }

    /// <summary>Reads consecutive rows of one step.</summary>
    /// <exception cref="StoreException">They were not all written.</exception>
    public void Read(TensorKinds kind, int step, RowRange wanted, Span<byte> destination)
    {
        if (!TryRead(Of(kind), Offset(keep, rows, kind, step, wanted.Start), destination))
            throw new StoreException($"the scratch file of {kind} in {_folder} is shorter than it was written: run the same command again");
    }

    /// <summary>Makes durable what was written: before a checkpoint that stands behind it.</summary>
    public void Flush()
    {
        List<SafeFileHandle> files;
        lock (_gate)
            files = [.. _files.Values];
        foreach (var file in files)
            StoreErrors.Guard(_folder, () =>
            {
                RandomAccess.FlushToDisk(file);
                return true;
            });
    }

    /// <summary>Copies what an earlier attempt kept of a sample.</summary>
    /// <param name="find">The path of an earlier scratch file by its name; null where there is none.</param>
    /// <param name="earlier">The rows of the earlier attempt.</param>
    /// <param name="steps">The executed steps that stand behind its checkpoint.</param>
    /// <returns>False when not all of it is there: then the sample begins anew.</returns>
    public bool TryAdopt(Func<string, string?> find, RowRange earlier, int sample, RowRange steps)
    {
        var row = new byte[rowBytes];
        foreach (var kind in keep.Kinds)
        {
            if (find(FileOf(keep, kind)) is not { } path)
                return false;
            using var file = StoreErrors.Guard(
                "read", path, () => File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
            foreach (var step in keep.Steps(kind).Where(step => steps.Start <= step && step < steps.End))
            {
                if (!TryRead(file, Offset(keep, earlier, kind, step, sample), row))
                    return false;
                Write(sample, step, kind, row);
            }
        }
        return true;
    }

    public void Dispose()
    {
        lock (_gate)
        {
            foreach (var file in _files.Values)
                file.Dispose();
            _files.Clear();
        }
    }

    SafeFileHandle Of(TensorKinds kind)
    {
        lock (_gate)
            return _files.TryGetValue(kind, out var file) ? file : throw new ObjectDisposedException(nameof(PartCaptures));
    }

    static bool TryRead(SafeFileHandle file, long offset, Span<byte> destination)
    {
        while (destination.Length > 0)
        {
            var read = RandomAccess.Read(file, destination, offset);
            if (read == 0)
                return false;
            destination = destination[read..];
            offset += read;
        }
        return true;
    }

    long Offset(CaptureSelection selection, RowRange of, TensorKinds kind, int step, int sample) =>
        ((long)selection.Steps(kind).AsSpan().BinarySearch(step) * of.Count + (sample - of.Start)) * rowBytes;
}

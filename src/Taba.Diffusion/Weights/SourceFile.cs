using Microsoft.Win32.SafeHandles;

namespace Taba.Diffusion.Weights;

/// <summary>An open file whose every read is checked against its length, and whose faults are reported under its name.</summary>
sealed class SourceFile : IDisposable
{
    readonly SafeFileHandle? _handle;
    readonly ReadAt? _read;

    SourceFile(string path, SafeFileHandle handle)
    {
        Path = path;
        _handle = handle;
        Length = RandomAccess.GetLength(handle);
    }

    /// <summary>A file that lies elsewhere.</summary>
    public SourceFile(string path, long length, ReadAt read) => (Path, Length, _read) = (path, length, read);

    public string Path { get; }

    /// <summary>The name of the file without folder and ending: the name of a tensor that was saved without one.</summary>
    public string Stem => System.IO.Path.GetFileNameWithoutExtension(Path);

    /// <summary>The open file, for what needs it in memory.</summary>
    /// <exception cref="WeightsFormatException">It is not on this machine.</exception>
    public SafeFileHandle Handle => _handle ?? throw Fault("it must be on this machine to be read like that.");

    /// <summary>Bytes, when the file was opened.</summary>
    public long Length { get; }

    /// <exception cref="IOException">The file is absent or cannot be opened.</exception>
    public static SourceFile Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var full = System.IO.Path.GetFullPath(path);
        if (Directory.Exists(full))
            throw new WeightsFormatException(path, "it is a folder.");

        return new SourceFile(path, File.OpenHandle(full, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete));
    }

    public WeightsFormatException Fault(string sentence) => new(Path, sentence);

    public void ReadExactly(long offset, Span<byte> destination, string what)
    {
        if (offset < 0 || offset > Length - destination.Length)
            throw Fault(
                $"{what} ({destination.Length} bytes at {offset}) lies outside the file of {Length} bytes; it was cut short or is "
                + "damaged.");

        if (_read is not null)
        {
            _read(offset, destination);
            return;
        }
        while (destination.Length > 0)
        {
            var read = RandomAccess.Read(Handle, destination, offset);
            if (read == 0)
                throw Fault($"it became shorter than {Length} bytes while it was read.");
            offset += read;
            destination = destination[read..];
        }
    }

    /// <summary>Reads a region whose size the file itself states, refusing more than <paramref name="limit"/> bytes.</summary>
    public byte[] ReadBytes(long offset, long count, int limit, string what)
    {
        if (count < 0 || count > limit)
            throw Fault($"{what} would take {count} bytes; at most {limit} are allowed.");
        if (offset < 0 || offset > Length - count)
            throw Fault($"{what} ({count} bytes at {offset}) lies outside the file of {Length} bytes; it was cut short or is damaged.");

        var bytes = GC.AllocateUninitializedArray<byte>((int)count);
        ReadExactly(offset, bytes, what);
        return bytes;
    }

    public void Dispose() => _handle?.Dispose();
}

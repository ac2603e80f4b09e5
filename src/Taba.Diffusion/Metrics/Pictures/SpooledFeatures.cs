using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Taba.Diffusion.Metrics.Pictures;

/// <summary>
/// Features of pictures in a file that goes with this object, so that those of fifty thousand take no memory: what compares every one with
/// every other reads them at any place. Not thread-safe.
/// </summary>
public sealed class SpooledFeatures : IRowAccess, IDisposable
{
    readonly SafeFileHandle _file;

    /// <param name="rowLength">Values of a feature, 1 or more.</param>
    /// <exception cref="IOException">The folder for temporary files cannot be written.</exception>
    public SpooledFeatures(int rowLength)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rowLength, 1);
        RowLength = rowLength;
        var path = Path.Combine(Path.GetTempPath(), $"taba-features-{Guid.NewGuid():N}");
        _file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, FileOptions.DeleteOnClose);
    }

    /// <inheritdoc/>
    public long Rows { get; private set; }

    /// <inheritdoc/>
    public int RowLength { get; }

    long RowBytes => (long)RowLength * sizeof(float);

    /// <summary>Takes in whole features behind those before.</summary>
    /// <exception cref="ArgumentException">They are not whole.</exception>
    /// <exception cref="IOException">The disk is full.</exception>
    public void Add(ReadOnlySpan<float> features)
    {
        if (features.Length % RowLength != 0)
            throw new ArgumentException($"{features.Length} values are not whole features of {RowLength}.", nameof(features));
        RandomAccess.Write(_file, MemoryMarshal.AsBytes(features), Rows * RowBytes);
        Rows += features.Length / RowLength;
    }

    /// <inheritdoc/>
    public void Read(long first, Span<float> destination)
    {
        var bytes = MemoryMarshal.AsBytes(destination);
        if (first < 0 || (first * RowBytes) + bytes.Length > Rows * RowBytes)
            throw new ArgumentOutOfRangeException(nameof(first), first, $"There are {Rows} features.");
        for (var offset = first * RowBytes; bytes.Length > 0;)
        {
            var read = RandomAccess.Read(_file, bytes, offset);
            if (read == 0)
                throw new EndOfStreamException("The file of features became shorter while it was read.");
            bytes = bytes[read..];
            offset += read;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();
}

using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Taba.Diffusion.Metrics.Pictures;

/// <summary>
/// Features of pictures in a file that goes with this object, so that those of fifty thousand take no memory: what compares every one with
/// every other reads them at any place. Not thread-safe.
/// </summary>
public sealed class SpooledFeatures : IRowAccess, IDisposable
{
    const int FormatVersion = 1;
    const int CopyBytes = 1 << 20;

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

    /// <summary>Writes all features, as <see cref="Add(BinaryReader)"/> takes them.</summary>
    public void Write(BinaryWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write(FormatVersion);
        writer.Write(RowLength);
        writer.Write(Rows);
        var some = new float[(int)Math.Max(1, CopyBytes / RowBytes) * RowLength];
        for (long row = 0; row < Rows; row += some.Length / RowLength)
        {
            var chunk = some.AsSpan(0, (int)Math.Min(some.Length / RowLength, Rows - row) * RowLength);
            Read(row, chunk);
            writer.Write(MemoryMarshal.AsBytes(chunk));
        }
    }

    /// <summary>Takes in features that were written, behind those before.</summary>
    /// <exception cref="InvalidDataException">They are something else, or of another length.</exception>
    public void Add(BinaryReader reader)
    {
        ArgumentNullException.ThrowIfNull(reader);
        PartialSumsFormat.Read("features", FormatVersion, reader, () =>
        {
            var (length, rows) = (reader.ReadInt32(), reader.ReadInt64());
            if (length != RowLength || rows < 0)
                throw new InvalidDataException($"They are {rows} features of {length} values, where features of {RowLength} belong.");
            reader.Expect(checked(rows * RowBytes));
            var some = new float[(int)Math.Max(1, CopyBytes / RowBytes) * RowLength];
            for (var left = rows; left > 0; left -= some.Length / RowLength)
            {
                var chunk = some.AsSpan(0, (int)Math.Min(some.Length / RowLength, left) * RowLength);
                reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(chunk));
                Add(chunk);
            }
            return rows;
        });
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

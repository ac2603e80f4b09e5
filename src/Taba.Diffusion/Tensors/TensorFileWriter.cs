using System.Buffers.Binary;
using Taba.Diffusion.Weights;
using static TorchSharp.torch;

namespace Taba.Diffusion.Tensors;

/// <summary>
/// Writes one tensor, whose shape is known beforehand, to a file, from its first byte to its last. The bytes go to a
/// temporary file beside the target; <see cref="Complete"/> makes them durable and renames, so that the target is whole or
/// absent. Disposing without completing deletes the temporary file. Not safe for several threads.
/// </summary>
public sealed class TensorFileWriter : IDisposable
{
    // Below the size from which arrays count as large and are collected late.
    const int BufferBytes = 64 << 10;

    /// <summary>Shorter runs of zeros cost less as bytes than as a hole.</summary>
    const int SmallestHole = 64 << 10;

    readonly string _path;
    readonly string _temporary;
    readonly ITensorEnvelope _envelope;
    readonly FileStream _stream;
    readonly RunningCrc32? _crc;
    bool _finished;

    TensorFileWriter(string path, ITensorEnvelope envelope, long byteCount)
    {
        _path = path;
        _temporary = $"{path}.tmp-{Guid.NewGuid():n}";
        _envelope = envelope;
        _crc = envelope.CrcPosition is null ? null : new RunningCrc32();
        ByteCount = byteCount;
        _stream = new FileStream(_temporary, FileMode.CreateNew, FileAccess.Write, FileShare.Read, BufferBytes);
    }

    /// <summary>The file that <see cref="Complete"/> leaves.</summary>
    public string Path => _path;

    /// <summary>Where the tensor's bytes begin in the file.</summary>
    public long DataOffset => _envelope.Head.Length;

    /// <summary>Bytes of the tensor.</summary>
    public long ByteCount { get; }

    /// <summary>Bytes of the tensor written so far.</summary>
    public long Position { get; private set; }

    /// <summary>Begins a file.</summary>
    /// <param name="path">The file; its folder exists. A file of that name is replaced on <see cref="Complete"/>.</param>
    /// <param name="format">The format.</param>
    /// <param name="name">The tensor's name, which only safetensors stores.</param>
    /// <param name="dtype">The element type. .npy has no bfloat16.</param>
    /// <param name="shape">Lengths of the axes.</param>
    /// <exception cref="NotSupportedException">The format cannot hold this element type.</exception>
    /// <exception cref="ArgumentException">The shape is negative or absurdly large.</exception>
    /// <exception cref="IOException">The file cannot be created.</exception>
    public static TensorFileWriter Create(string path, TensorFormat format, string name, ScalarType dtype, IReadOnlyList<long> shape)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(shape);
        long[] lengths = [.. shape];
        var elements = CountElements(name, lengths);
        var byteCount = elements * ElementTypes.Size(dtype);
        ITensorEnvelope envelope = format switch
        {
            TensorFormat.Safetensors => new SafetensorsEnvelope(name, dtype, lengths, byteCount),
            TensorFormat.Pt => new PtEnvelope(dtype, lengths, elements, byteCount),
            TensorFormat.Npy => new NpyEnvelope(dtype, lengths),
            _ => throw new ArgumentOutOfRangeException(nameof(format), format, "There is no such tensor format."),
        };

        var writer = new TensorFileWriter(path, envelope, byteCount);
        try
        {
            writer._stream.Write(envelope.Head);
            return writer;
        }
        catch
        {
            writer.Dispose();
            throw;
        }
    }

    /// <summary>Appends bytes: little-endian elements in row-major order.</summary>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        Advance(bytes.Length);
        _stream.Write(bytes);
        _crc?.Append(bytes);
    }

    /// <summary>Appends zero bytes; long runs become a hole in the file where the file system has them.</summary>
    public void WriteZeros(long count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        if (count < SmallestHole)
        {
            Span<byte> zeros = stackalloc byte[1024];
            zeros.Clear();
            for (; count > 0; count -= Math.Min(count, zeros.Length))
                Write(zeros[..(int)Math.Min(count, zeros.Length)]);
            return;
        }

        Advance(count);
        _stream.Seek(count, SeekOrigin.Current);
        _crc?.AppendZeros(count);
    }

    /// <summary>Ends the file, makes it durable and gives it its name.</summary>
    /// <exception cref="InvalidOperationException">Bytes are missing.</exception>
    public void Complete()
    {
        ObjectDisposedException.ThrowIf(_finished, this);
        if (Position != ByteCount)
            throw new InvalidOperationException($"{_path} holds {Position} of {ByteCount} bytes of its tensor; write the rest before completing it.");

        var crc = _crc?.Value ?? 0;
        _stream.Write(_envelope.Tail(crc));
        _stream.SetLength(_stream.Position); // a hole at the end has no bytes of its own
        if (_envelope.CrcPosition is { } position)
        {
            Span<byte> bytes = stackalloc byte[sizeof(uint)];
            BinaryPrimitives.WriteUInt32LittleEndian(bytes, crc);
            _stream.Seek(position, SeekOrigin.Begin);
            _stream.Write(bytes);
        }

        _stream.Flush(flushToDisk: true);
        _stream.Dispose();
        File.Move(_temporary, _path, overwrite: true);
        _finished = true;
    }

    /// <summary>Closes the file and, unless it was completed, deletes it.</summary>
    public void Dispose()
    {
        if (_finished)
            return;

        _finished = true;
        try
        {
            _stream.Dispose();
        }
        catch (IOException)
        {
            // A full disk refuses the buffered bytes of a file that is about to be deleted.
        }

        if (File.Exists(_temporary))
            File.Delete(_temporary);
    }

    void Advance(long count)
    {
        ObjectDisposedException.ThrowIf(_finished, this);
        if (count > ByteCount - Position)
            throw new InvalidOperationException($"{_path} has room for {ByteCount - Position} more bytes of its tensor; {count} were given.");
        Position += count;
    }

    static long CountElements(string name, long[] shape)
    {
        Int128 elements = 1;
        foreach (var length in shape)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(length, nameof(shape));
            elements *= length;
            if (elements > long.MaxValue / 8)
                throw new ArgumentException($"Tensor '{name}' of shape [{string.Join(",", shape)}] has more elements than any file can hold.", nameof(shape));
        }

        return (long)elements;
    }
}

using System.Buffers.Binary;
using System.IO.Hashing;
using Taba.Diffusion.Weights;
using static TorchSharp.torch;

namespace Taba.Diffusion.Tensors;

/// <summary>
/// Writes one tensor, whose shape is known beforehand, to a file, from its first byte to its last. The target is whole from
/// <see cref="Complete"/> on, and absent before. Not safe for several threads.
/// </summary>
public sealed class TensorFileWriter : IDisposable
{
    readonly ITensorEnvelope _envelope;
    readonly IFileSink _sink;
    readonly Crc32? _crc;
    bool _finished;

    TensorFileWriter(string path, IFileSink sink, ITensorEnvelope envelope, long byteCount)
    {
        Path = path;
        _sink = sink;
        _envelope = envelope;
        _crc = envelope.CrcPosition is null ? null : new Crc32();
        ByteCount = byteCount;
    }

    /// <summary>The file that <see cref="Complete"/> leaves.</summary>
    public string Path { get; }

    /// <summary>The offset of the tensor's bytes in the file.</summary>
    public long DataOffset => _envelope.Head.Length;

    /// <summary>Bytes of the tensor.</summary>
    public long ByteCount { get; }

    /// <summary>Bytes of the tensor written so far.</summary>
    public long Position { get; private set; }

    /// <summary>Bytes of the whole file, once it is complete.</summary>
    public long FileBytes { get; private set; }

    /// <summary>Begins a file on a disk.</summary>
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
        return Create(path, _ => new DiskFileSink(path), format, name, dtype, shape);
    }

    /// <summary>Begins a file wherever files are kept.</summary>
    /// <param name="path">What messages call the file.</param>
    /// <param name="open">Opens it, for about so many bytes.</param>
    /// <param name="format">The format.</param>
    /// <param name="name">The tensor's name, which only safetensors stores.</param>
    /// <param name="dtype">The element type. .npy has no bfloat16.</param>
    /// <param name="shape">Lengths of the axes.</param>
    /// <exception cref="NotSupportedException">The format cannot hold this element type.</exception>
    /// <exception cref="ArgumentException">The shape is negative or absurdly large.</exception>
    public static TensorFileWriter Create(
        string path, Func<long, IFileSink> open, TensorFormat format, string name, ScalarType dtype, IReadOnlyList<long> shape)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(open);
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

        var writer = new TensorFileWriter(path, open(envelope.Head.Length + byteCount), envelope, byteCount);
        try
        {
            writer._sink.Write(envelope.Head);
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
        _sink.Write(bytes);
        _crc?.Append(bytes);
    }

    /// <summary>Ends the file, makes it durable and gives it its name.</summary>
    /// <exception cref="InvalidOperationException">Bytes are missing.</exception>
    public void Complete()
    {
        ObjectDisposedException.ThrowIf(_finished, this);
        if (Position != ByteCount)
            throw new InvalidOperationException(
                $"{Path} holds {Position} of {ByteCount} bytes of its tensor; write the rest before completing it.");

        var crc = _crc?.GetCurrentHashAsUInt32() ?? 0;
        var tail = _envelope.Tail(crc);
        _sink.Write(tail);
        _sink.Complete(HeadWith(crc));
        FileBytes = DataOffset + ByteCount + tail.Length;
        _finished = true;
    }

    /// <summary>Closes the file and, unless it was completed, drops it.</summary>
    public void Dispose()
    {
        _finished = true;
        _sink.Dispose();
    }

    /// <summary>The head with the CRC that it was written without; empty where the format has none.</summary>
    byte[] HeadWith(uint crc)
    {
        if (_envelope.CrcPosition is not { } position)
            return [];
        var head = _envelope.Head.ToArray();
        BinaryPrimitives.WriteUInt32LittleEndian(head.AsSpan(position), crc);
        return head;
    }

    void Advance(long count)
    {
        ObjectDisposedException.ThrowIf(_finished, this);
        if (count > ByteCount - Position)
            throw new InvalidOperationException(
                $"{Path} has room for {ByteCount - Position} more bytes of its tensor; {count} were given.");
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
                throw new ArgumentException(
                    $"Tensor '{name}' of shape [{string.Join(",", shape)}] has more elements than any file can hold.", nameof(shape));
        }

        return (long)elements;
    }
}

using Taba.Diffusion.Tensors;

namespace Taba.Testing;

/// <summary>A file with holes where long runs of zeros are written, so that gigabytes of them cost no disk.</summary>
public sealed class SparseFile(string path) : IFileSink
{
    const int SmallestHole = 64 << 10;

    readonly FileStream _stream = File.Create(path);

    public void Write(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length >= SmallestHole && !bytes.ContainsAnyExcept((byte)0))
            _stream.Seek(bytes.Length, SeekOrigin.Current);
        else
            _stream.Write(bytes);
    }

    public void Complete(ReadOnlySpan<byte> head)
    {
        _stream.SetLength(_stream.Position); // a hole at the end has no bytes of its own
        _stream.Seek(0, SeekOrigin.Begin);
        _stream.Write(head);
        _stream.Dispose();
    }

    public void Dispose() => _stream.Dispose();
}

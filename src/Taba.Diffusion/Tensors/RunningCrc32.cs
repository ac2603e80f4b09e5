using System.IO.Hashing;

namespace Taba.Diffusion.Tensors;

/// <summary>The CRC-32 of bytes as they are written, long runs of zeros included at no cost.</summary>
sealed class RunningCrc32
{
    readonly Crc32 _run = new();
    long _runBytes;
    uint _before;

    public uint Value => Crc32Combine.Combine(_before, _run.GetCurrentHashAsUInt32(), _runBytes);

    public void Append(ReadOnlySpan<byte> bytes)
    {
        _run.Append(bytes);
        _runBytes += bytes.Length;
    }

    public void AppendZeros(long count)
    {
        _before = Crc32Combine.AppendZeros(Value, count);
        _run.Reset();
        _runBytes = 0;
    }
}

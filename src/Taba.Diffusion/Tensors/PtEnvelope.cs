using static TorchSharp.torch;

namespace Taba.Diffusion.Tensors;

/// <summary>
/// The zip archive of torch.save around one bare tensor: data.pkl, byteorder, data/0 and version, all stored, their data
/// aligned to 64 bytes. The folder is always called archive, so that equal tensors make equal files.
/// </summary>
sealed class PtEnvelope : ITensorEnvelope
{
    readonly StoredZipWriter _zip = new();
    readonly long _byteCount;
    readonly int _dataHeader;
    readonly byte[] _head;

    public PtEnvelope(ScalarType dtype, long[] shape, long elements, long byteCount)
    {
        _byteCount = byteCount;
        _zip.AddEntry("archive/data.pkl", TorchPickle.BareTensor(dtype, shape, elements));
        _zip.AddEntry("archive/byteorder", "little"u8);
        _dataHeader = (int)_zip.BeginEntry("archive/data/0", byteCount, crc: 0);
        _head = _zip.Take();
    }

    public ReadOnlySpan<byte> Head => _head;

    public int? CrcPosition => _dataHeader + StoredZipWriter.CrcPosition;

    public ReadOnlySpan<byte> Tail(uint crc)
    {
        _zip.EndEntry(_byteCount, crc);
        _zip.AddEntry("archive/version", "3\n"u8);
        _zip.WriteDirectory();
        return _zip.Take();
    }
}

using System.Buffers.Binary;
using System.Text;
using Taba.Diffusion.Weights;
using static TorchSharp.torch;

namespace Taba.Diffusion.Tensors;

/// <summary>The header of a NumPy array file, version 1.</summary>
sealed class NpyEnvelope : ITensorEnvelope
{
    const int PrefixBytes = 10, Alignment = 64;

    readonly byte[] _head;

    public NpyEnvelope(ScalarType dtype, long[] shape)
    {
        var descr = ElementTypes.NumpyDescr(dtype)
            ?? throw new NotSupportedException($"NumPy has no {dtype}: write .safetensors or .pt, or convert to float32.");

        // A tuple of one needs its comma.
        var lengths = shape.Length == 1 ? $"{shape[0]}," : string.Join(", ", shape);
        var text = $"{{'descr': '{descr}', 'fortran_order': False, 'shape': ({lengths}), }}";
        _head = new byte[(PrefixBytes + text.Length + 1 + Alignment - 1) / Alignment * Alignment];
        NpyFile.Signature.CopyTo(_head);
        _head[6] = 1;
        BinaryPrimitives.WriteUInt16LittleEndian(_head.AsSpan(8), (ushort)(_head.Length - PrefixBytes));
        _head.AsSpan(PrefixBytes).Fill((byte)' ');
        Encoding.ASCII.GetBytes(text, _head.AsSpan(PrefixBytes));
        _head[^1] = (byte)'\n';
    }

    public ReadOnlySpan<byte> Head => _head;

    public int? CrcPosition => null;

    public ReadOnlySpan<byte> Tail(uint crc) => [];
}

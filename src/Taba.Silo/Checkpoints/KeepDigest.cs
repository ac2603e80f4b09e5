using System.IO.Hashing;
using System.Runtime.InteropServices;

namespace Taba.Silo.Checkpoints;

/// <summary>Names a capture selection in checkpoints: one made for another selection lacks tensors.</summary>
static class KeepDigest
{
    public static string Of(CaptureSelection keep)
    {
        var text = string.Join(';', keep.Kinds.Select(k => $"{k}:{string.Join(',', keep.Steps(k))}"));
        return Convert.ToHexStringLower(XxHash64.Hash(MemoryMarshal.AsBytes(text.AsSpan())));
    }
}

using System.Buffers.Binary;
using System.Text;
using Taba.Diffusion.Tensors;
using Taba.Diffusion.Weights.Pickle;

namespace Taba.Diffusion.Tests.Weights;

/// <summary>Whole checkpoint files, made by hand.</summary>
static class CheckpointBytes
{
    /// <summary>torch.save's zip format around a pickle and its storages.</summary>
    public static byte[] TorchZip(byte[] pickle, params (string Key, byte[] Bytes)[] storages)
    {
        var zip = new StoredZipWriter();
        zip.AddEntry("some folder/data.pkl", pickle);
        foreach (var (key, bytes) in storages)
            zip.AddEntry($"some folder/data/{key}", bytes);
        zip.AddEntry("some folder/version", "3\n"u8);
        zip.WriteDirectory();
        return zip.Take();
    }

    /// <summary>torch.save's format before 1.6.</summary>
    public static byte[] TorchLegacy(byte[] pickle, int itemSize, params (string Key, byte[] Bytes)[] storages)
    {
        var magic = new PickleBuilder().Op(PickleOpcode.LONG1).Raw(10).Raw(
            0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19).Stop();
        var protocol = new PickleBuilder().Integer(1001).Stop();
        var system = new PickleBuilder().Op(PickleOpcode.EMPTY_DICT).Text("little_endian").Op(PickleOpcode.NEWTRUE).Op(
            PickleOpcode.SETITEM).Stop();
        var keys = new PickleBuilder().Op(PickleOpcode.EMPTY_LIST);
        foreach (var (key, _) in storages)
            keys.Text(key).Op(PickleOpcode.APPEND);

        byte[] file = [.. magic, .. protocol, .. system, .. pickle, .. keys.Stop()];
        foreach (var (_, bytes) in storages)
            file = [.. file, .. BitConverter.GetBytes((long)bytes.Length / itemSize), .. bytes];
        return file;
    }

    /// <summary>A safetensors file with the given header text and data.</summary>
    public static byte[] Safetensors(string header, params byte[] data)
    {
        var text = Encoding.UTF8.GetBytes(header);
        var length = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, text.Length);
        return [.. length, .. text, .. data];
    }

    public static byte[] Floats(params float[] values) => System.Runtime.InteropServices.MemoryMarshal.AsBytes(values.AsSpan()).ToArray();
}

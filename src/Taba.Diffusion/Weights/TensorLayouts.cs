namespace Taba.Diffusion.Weights;

/// <summary>Finds a file's format by its first bytes, never by its name, and reads where its tensors lie.</summary>
static class TensorLayouts
{
    const int ProbeBytes = 12;

    public static IReadOnlyList<StoredTensor> Read(SourceFile file)
    {
        if (file.Length == 0)
            throw file.Fault("it is empty.");
        Span<byte> probe = stackalloc byte[ProbeBytes];
        probe = probe[..(int)Math.Min(ProbeBytes, file.Length)];
        file.ReadExactly(0, probe, "the beginning");

        if (probe.StartsWith("PK"u8))
            return TorchZipFile.Read(file);
        if (probe.StartsWith(NpyFile.Signature))
            return NpyFile.Read(file);
        if (probe.StartsWith(TorchLegacyFile.Signature))
            return TorchLegacyFile.Read(file);
        if (probe.Length > 8 && probe[8] == (byte)'{')
            return SafetensorsFile.Read(file);
        throw file.Fault(OtherFile.Describe(file));
    }
}

using System.Buffers.Binary;
using System.Text;

namespace Taba.Diffusion.Native;

/// <summary>
/// The version needs of a 64-bit little-endian ELF library (section .gnu.version_r). A need that no relocated symbol
/// uses is only a marker the linker left; marked weak, the dynamic loader no longer insists on it.
/// </summary>
static class ElfVersionNeeds
{
    const uint SectionRela = 4;
    const uint SectionVersionSymbols = 0x6fffffff;
    const uint SectionVersionNeeds = 0x6ffffffe;
    const ushort WeakFlag = 2;
    const int SectionHeaderSize = 64;

    /// <summary>Marks the needs of version <paramref name="version"/> weak, in place.</summary>
    /// <returns>The number of needs that were changed; 0 when the image does not need that version.</returns>
    /// <exception cref="InvalidDataException">
    /// The image is not such an ELF library, or a relocated symbol really is of that version.
    /// </exception>
    public static int Weaken(Span<byte> image, string version)
    {
        try
        {
            return WeakenChecked(image, version);
        }
        catch (Exception e) when (e is ArgumentOutOfRangeException or OverflowException)
        {
            throw new InvalidDataException("The ELF image is cut short or its tables point outside of it.", e);
        }
    }

    static int WeakenChecked(Span<byte> image, string version)
    {
        if (image.Length < 64 || !image[..4].SequenceEqual("\u007fELF"u8) || image[4] != 2 || image[5] != 1)
            throw new InvalidDataException("The image is not a 64-bit little-endian ELF library.");

        var sections = ReadSections(image);
        var needs = sections.Find(s => s.Type == SectionVersionNeeds);
        if (needs.Type == 0)
            return 0;

        var weakened = 0;
        var strings = Slice(image, sections[needs.Link]);
        var wanted = Encoding.ASCII.GetBytes(version + '\0');
        var used = UsedVersions(image, sections);
        var need = needs.Offset;
        for (var i = 0; i < needs.Info; i++)
        {
            int entries = U16(image, need + 2);
            var entry = checked(need + (int)U32(image, need + 8));
            for (var j = 0; j < entries; j++)
            {
                var name = checked((int)U32(image, entry + 8));
                if (strings[name..].StartsWith(wanted))
                {
                    if (used.Contains(U16(image, entry + 6)))
                        throw new InvalidDataException($"A symbol of version {version} is in use: the need for it is real.");
                    var flags = (ushort)(U16(image, entry + 4) | WeakFlag);
                    BinaryPrimitives.WriteUInt16LittleEndian(image.Slice(entry + 4, 2), flags);
                    weakened++;
                }

                entry = checked(entry + (int)U32(image, entry + 12));
            }

            need = checked(need + (int)U32(image, need + 12));
        }

        return weakened;
    }

    /// <summary>The version indices of all symbols that a relocation refers to.</summary>
    static HashSet<ushort> UsedVersions(ReadOnlySpan<byte> image, List<Section> sections)
    {
        var used = new HashSet<ushort>();
        var versions = sections.Find(s => s.Type == SectionVersionSymbols);
        if (versions.Type == 0)
            return used;
        foreach (var section in sections)
        {
            if (section.Type != SectionRela)
                continue;
            var table = Slice(image, section);
            for (var at = 0; at + 24 <= table.Length; at += 24)
            {
                var symbol = checked((int)(BinaryPrimitives.ReadUInt64LittleEndian(table.Slice(at + 8, 8)) >> 32));
                if (symbol != 0)
                    used.Add((ushort)(U16(image, checked(versions.Offset + (2 * symbol))) & 0x7fff));
            }
        }

        return used;
    }

    static List<Section> ReadSections(ReadOnlySpan<byte> image)
    {
        var table = checked((int)BinaryPrimitives.ReadUInt64LittleEndian(image.Slice(40, 8)));
        int size = U16(image, 58);
        int count = U16(image, 60);
        if (size != SectionHeaderSize)
            throw new InvalidDataException($"ELF section headers of {size} bytes are unknown; {SectionHeaderSize} are expected.");
        var sections = new List<Section>(count);
        for (var i = 0; i < count; i++)
        {
            var header = image.Slice(checked(table + (i * size)), size);
            sections.Add(new Section(
                U32(header, 4),
                checked((int)Math.Min(int.MaxValue, BinaryPrimitives.ReadUInt64LittleEndian(header.Slice(24, 8)))),
                checked((int)Math.Min(int.MaxValue, BinaryPrimitives.ReadUInt64LittleEndian(header.Slice(32, 8)))),
                checked((int)U32(header, 40)),
                checked((int)U32(header, 44))));
        }

        return sections;
    }

    static ReadOnlySpan<byte> Slice(ReadOnlySpan<byte> image, Section section) => image.Slice(section.Offset, section.Size);

    static ushort U16(ReadOnlySpan<byte> image, int at) => BinaryPrimitives.ReadUInt16LittleEndian(image.Slice(at, 2));

    static uint U32(ReadOnlySpan<byte> image, int at) => BinaryPrimitives.ReadUInt32LittleEndian(image.Slice(at, 4));

    readonly record struct Section(uint Type, int Offset, int Size, int Link, int Info);
}

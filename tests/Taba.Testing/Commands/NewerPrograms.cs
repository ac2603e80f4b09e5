using System.Diagnostics;
using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;
using System.Text;

namespace Taba.Testing.Commands;

/// <summary>
/// The programs of this build with the next numerics version and another build's name, in a folder of their own: two constants of a copy
/// of Taba.Abstractions.dll are other ones, and all else is linked. What ships has no switch for that.
/// </summary>
public sealed class NewerPrograms : IDisposable
{
    const string Assembly = "Taba.Abstractions.dll";
    const byte LdcI4First = 0x16;

    readonly string _folder;

    public NewerPrograms()
    {
        var programs = Path.GetDirectoryName(Programs.Silo[^1])!;
        // Beside them: a hard link stays on its disk.
        _folder = $"{programs.TrimEnd('/')}-newer-{Guid.NewGuid():N}";
        using (var copy = Process.Start("cp", ["-al", programs, _folder]))
            copy.WaitForExit();
        // The one beside the tests has no compiled code. A link to be written to would change what it is a link of.
        var patched = Path.Combine(_folder, Assembly);
        File.Delete(patched);
        File.WriteAllBytes(patched, Patched(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, Assembly))));
    }

    /// <summary>What they say of themselves.</summary>
    public static ProgramVersion Version { get; } =
        new($"{ProgramVersion.Own.Build[..^1]}{Other(ProgramVersion.Own.Build[^1])}", ProgramVersion.Own.Numerics + 1);

    public IReadOnlyList<string> Taba => In("taba.dll");

    public IReadOnlyList<string> Silo => In("Taba.Silo.dll");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    List<string> In(string assembly) => [.. Programs.Silo.SkipLast(1), Path.Combine(_folder, assembly)];

    static char Other(char last) => last == '9' ? '8' : '9';

    static byte[] Patched(byte[] image)
    {
        using var file = new PEReader(new MemoryStream(image));
        var metadata = file.GetMetadataReader();
        PatchNumerics(image, file, metadata);
        PatchBuild(image, file, metadata);
        return image;
    }

    /// <summary>The getter is <c>ldc.i4.N; ret</c>.</summary>
    static void PatchNumerics(byte[] image, PEReader file, MetadataReader metadata)
    {
        var getter = metadata.MethodDefinitions.Select(metadata.GetMethodDefinition).Single(
            m => metadata.StringComparer.Equals(m.Name, $"get_{nameof(StageKey.NumericsVersion)}")
                && metadata.StringComparer.Equals(metadata.GetTypeDefinition(m.GetDeclaringType()).Name, nameof(StageKey)));
        // Behind the byte of a tiny method's head.
        var code = Offset(file, getter.RelativeVirtualAddress) + 1;
        if (image[code] != LdcI4First + ProgramVersion.Own.Numerics)
            throw new InvalidOperationException($"{Assembly} does not return {ProgramVersion.Own.Numerics} as this expects it to.");
        image[code]++;
    }

    static void PatchBuild(byte[] image, PEReader file, MetadataReader metadata)
    {
        var value = metadata.GetAssemblyDefinition().GetCustomAttributes().Select(metadata.GetCustomAttribute).Single(
            a => IsBuild(metadata, a)).Value;
        var blob = file.PEHeaders.MetadataStartOffset + metadata.GetHeapMetadataOffset(HeapIndex.Blob) + metadata.GetHeapOffset(value);
        var build = image.AsSpan(blob).IndexOf(Encoding.UTF8.GetBytes(ProgramVersion.Own.Build));
        image[blob + build + ProgramVersion.Own.Build.Length - 1] = (byte)Version.Build[^1];
    }

    static bool IsBuild(MetadataReader metadata, CustomAttribute attribute) =>
        attribute.Constructor.Kind == HandleKind.MemberReference
        && metadata.GetMemberReference((MemberReferenceHandle)attribute.Constructor).Parent is { Kind: HandleKind.TypeReference } type
        && metadata.StringComparer.Equals(
            metadata.GetTypeReference((TypeReferenceHandle)type).Name, nameof(AssemblyInformationalVersionAttribute));

    static int Offset(PEReader file, int address)
    {
        var section = file.PEHeaders.SectionHeaders[file.PEHeaders.GetContainingSectionIndex(address)];
        return address - section.VirtualAddress + section.PointerToRawData;
    }
}

using System.Runtime.InteropServices;

namespace Taba.Diffusion.Native;

/// <summary>The functions that a loaded 64-bit ELF library calls in others, through the table that the dynamic loader fills for it.</summary>
static unsafe partial class ElfImports
{
    const int RequestLinkMap = 2;
    const uint JumpSlot = 7; // R_X86_64_JUMP_SLOT

    /// <summary>Has a library call another function where it calls one of that name.</summary>
    /// <param name="library">What <see cref="NativeLibrary"/> gave for it.</param>
    /// <param name="name">The function's name, as imported.</param>
    /// <param name="function">A native function of the same signature, for the rest of the process's life.</param>
    /// <returns>
    /// False, and nothing changed, where the library does not import it that way, or its table was made read-only after loading, or the
    /// processor or the C library is another.
    /// </returns>
    public static bool Redirect(nint library, ReadOnlySpan<byte> name, nint function)
    {
        if (RuntimeInformation.ProcessArchitecture != Architecture.X64 || LinkMapOf(library) is not { } map)
            return false;
        var imports = new Imports();
        for (var entry = map.Dynamic; entry->Tag != 0; entry++)
            imports.Read(*entry, map.Base);
        if (imports.ReadOnly)
            return false;

        var redirected = false;
        for (var relocation = imports.Relocations; relocation < imports.RelocationsEnd; relocation++)
        {
            if ((uint)relocation->Info != JumpSlot)
                continue;
            var symbol = imports.Symbols + (relocation->Info >> 32);
            if (!MemoryMarshal.CreateReadOnlySpanFromNullTerminated(imports.Strings + symbol->Name).SequenceEqual(name))
                continue;
            Volatile.Write(ref *(nint*)(map.Base + relocation->Offset), function);
            redirected = true;
        }
        return redirected;
    }

    static LinkMap? LinkMapOf(nint library)
    {
        try
        {
            return DlInfo(library, RequestLinkMap, out var map) == 0 ? *map : null;
        }
        catch (EntryPointNotFoundException)
        {
            return null;
        }
    }

    [LibraryImport("libc", EntryPoint = "dlinfo")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int DlInfo(nint library, int request, out LinkMap* map);

    /// <summary>The beginning of the loader's struct link_map, as far as it is public (link.h).</summary>
    [StructLayout(LayoutKind.Sequential)]
    readonly struct LinkMap
    {
        public readonly nint Base;
        public readonly byte* Name;
        public readonly DynamicEntry* Dynamic;
    }

    /// <summary>Elf64_Dyn.</summary>
    [StructLayout(LayoutKind.Sequential)]
    readonly struct DynamicEntry
    {
        public readonly long Tag;
        public readonly nint Value;
    }

    /// <summary>Elf64_Rela.</summary>
    [StructLayout(LayoutKind.Sequential)]
    readonly struct Relocation
    {
        public readonly nint Offset;
        public readonly ulong Info;
        public readonly long Addend;
    }

    /// <summary>Elf64_Sym.</summary>
    [StructLayout(LayoutKind.Sequential)]
    readonly struct Symbol
    {
        public readonly uint Name;
        readonly uint kinds;
        readonly nint value;
        readonly nint size;
    }

    /// <summary>Where the dynamic section says that the tables lie.</summary>
    struct Imports
    {
        public Relocation* Relocations;
        public Symbol* Symbols;
        public byte* Strings;
        public bool ReadOnly;
        nint relocationBytes;

        public readonly Relocation* RelocationsEnd => (Relocation*)((byte*)Relocations + (Symbols is null || Strings is null ? 0 : relocationBytes));

        public void Read(DynamicEntry entry, nint loadedAt)
        {
            // glibc has made addresses of these offsets on some processors, and not on others.
            var address = entry.Value < loadedAt ? loadedAt + entry.Value : entry.Value;
            switch (entry.Tag)
            {
                case 2: // DT_PLTRELSZ
                    relocationBytes = entry.Value;
                    break;
                case 5: // DT_STRTAB
                    Strings = (byte*)address;
                    break;
                case 6: // DT_SYMTAB
                    Symbols = (Symbol*)address;
                    break;
                case 23: // DT_JMPREL
                    Relocations = (Relocation*)address;
                    break;
                case 24: // DT_BIND_NOW
                case 30 when (entry.Value & 8) != 0: // DT_FLAGS, DF_BIND_NOW
                case 0x6ffffffb when (entry.Value & 1) != 0: // DT_FLAGS_1, DF_1_NOW
                    ReadOnly = true;
                    break;
            }
        }
    }
}

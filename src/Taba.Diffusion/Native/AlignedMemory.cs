using System.Runtime.InteropServices;

namespace Taba.Diffusion.Native;

/// <summary>
/// The memory of libtorch's tensors on the processor, taken so that what is freed serves again. libtorch asks glibc for it by
/// posix_memalign, which (seen with glibc 2.36) takes more than is asked for, cuts it to fit and leaves the clippings to small things; a
/// tensor's place is then too small for the next tensor of its size, and the heap creeps upwards
/// (<see href="https://sourceware.org/bugzilla/show_bug.cgi?id=30723"/>).
/// </summary>
/// <remarks>
/// Here a large tensor first asks malloc, which gives a place of just that size, and only where that is not aligned posix_memalign. Sizes
/// are rounded so that behind an aligned tensor the next place is aligned too. What is given is glibc's: libtorch frees it as before.
/// </remarks>
static unsafe class AlignedMemory
{
    /// <summary>What libtorch aligns tensors to, and what a cache line has.</summary>
    const int Line = 64;

    /// <summary>Smaller things find room anyway.</summary>
    const int Least = 1 << 16;

    /// <summary>glibc's own size, in front of what it gives.</summary>
    const int Header = 8;

    const int OutOfMemory = 12; // ENOMEM

    static readonly delegate* unmanaged<nuint, void*> Malloc = (delegate* unmanaged<nuint, void*>)Global("malloc");
    static readonly delegate* unmanaged<void*, void> Free = (delegate* unmanaged<void*, void>)Global("free");
    static readonly delegate* unmanaged<void**, nuint, nuint, int> PosixMemalign = (delegate* unmanaged<void**, nuint, nuint, int>)Global("posix_memalign");

    /// <summary>Takes the place of posix_memalign for libtorch, which is loaded.</summary>
    /// <returns>False, and libtorch goes on as before, on other systems and where the allocator is the user's own (MALLOC_* or preloaded).</returns>
    public static bool ServeTorch() =>
        OperatingSystem.IsLinux() && !LinuxLibc.AllocatorIsTheUsers() && IsOfTheCLibrary()
        && NativeLibrary.TryLoad("libc10.so", out var library)
        && ElfImports.Redirect(library, "posix_memalign"u8, (nint)(delegate* unmanaged<void**, nuint, nuint, int>)&Take);

    /// <summary>As posix_memalign: 0 and the place, or the error's number.</summary>
    [UnmanagedCallersOnly]
    internal static int Take(void** place, nuint alignment, nuint size)
    {
        if (size is < Least or > LinuxLibc.LargestOfTheHeap)
            return PosixMemalign(place, alignment, size);
        var whole = ((size + Header + Line - 1) & ~(nuint)(Line - 1)) - Header;
        var taken = Malloc(whole);
        if (taken is null)
            return OutOfMemory;
        if (((nuint)taken & (alignment - 1)) == 0)
        {
            *place = taken;
            return 0;
        }
        Free(taken);
        return PosixMemalign(place, alignment, whole);
    }

    static bool IsOfTheCLibrary() =>
        NativeLibrary.TryLoad("libc.so.6", out var libc) && NativeLibrary.TryGetExport(libc, "malloc", out var malloc) && malloc == (nint)Malloc;

    /// <summary>What a library finds that calls a function by its name: a preloaded one before the C library's.</summary>
    static nint Global(string name) => NativeLibrary.TryGetExport(NativeLibrary.GetMainProgramHandle(), name, out var function) ? function : 0;
}

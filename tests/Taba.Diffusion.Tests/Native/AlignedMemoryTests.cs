using System.Runtime.InteropServices;
using Taba.Diffusion.Native;
using static TorchSharp.torch;

namespace Taba.Diffusion.Tests.Native;

public sealed unsafe class AlignedMemoryTests
{
    const int MiB = 1 << 20;

    static readonly delegate* unmanaged<void**, nuint, nuint, int> Take = &AlignedMemory.Take;

    [Fact]
    public void ServeTorch_APlaceBetweenThingsThatStay_ServesTheNextTensorOfItsSize()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && !LinuxLibc.AllocatorIsTheUsers(), "only glibc's allocator is helped, and a MALLOC_ variable leaves it to the user");
        using var loaded = ones(1);
        Assert.True(AlignedMemory.ServeTorch());
        Tensor[] stay = [], next = [];
        var clippings = new List<nint>();
        try
        {
            // Every second tensor goes, and the sizes that clippings have stay in use.
            var all = Enumerable.Range(0, 64).Select(_ => empty(MiB / sizeof(float))).ToArray();
            stay = [.. all.Where((_, i) => i % 2 == 0)];
            Tensor[] go = [.. all.Where((_, i) => i % 2 == 1)];
            var free = go.Select(Address).ToHashSet();
            for (nuint size = 16; size <= 128; size += 16)
                clippings.AddRange(Enumerable.Range(0, 64).Select(_ => (nint)NativeMemory.Alloc(size)));
            Array.ForEach(go, t => t.Dispose());

            next = [.. Enumerable.Range(0, free.Count).Select(_ => empty(MiB / sizeof(float)))];

            // Tests beside this one may take a few of the places.
            Assert.InRange(next.Count(t => free.Contains(Address(t))), free.Count * 3 / 4, free.Count);
        }
        finally
        {
            Array.ForEach([.. stay, .. next], t => t.Dispose());
            clippings.ForEach(c => NativeMemory.Free((void*)c));
        }
    }

    [Theory]
    [InlineData(64)]
    [InlineData(4096)]
    public void Take_SizesAroundTheLimits_AlignedWritableAndFreedAsAnyOther(int alignment)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "glibc's");
        nuint[] sizes = [0, 1, 63, 64, 65, 65535, 65536, 65537, 100_000, MiB, MiB + 1, (32 * MiB) - 1, 32 * MiB, (32 * MiB) + 1];
        var taken = new List<nint>();
        foreach (var size in sizes.Concat(sizes))
        {
            void* place = null;

            Assert.Equal(0, Take(&place, (nuint)alignment, size));

            Assert.Equal(0u, (nuint)place % (nuint)alignment);
            NativeMemory.Fill(place, size, 0xff);
            taken.Add((nint)place);
        }
        // A wrong size or place would have overwritten what glibc keeps between them, which it checks here.
        taken.ForEach(t => NativeMemory.Free((void*)t));
    }

    [Fact]
    public void Take_MoreThanThereIs_IsAnErrorNumber()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "glibc's");
        void* place = null;

        Assert.Equal(12 /* ENOMEM */, Take(&place, 64, nuint.MaxValue - 7));
        Assert.True(place is null);
    }

    [Fact]
    public void Redirect_WhatTheLibraryDoesNotImport_ChangesNothing()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "ELF");
        using var loaded = ones(1);
        Assert.True(NativeLibrary.TryLoad("libc10.so", out var library));

        Assert.False(ElfImports.Redirect(library, "taba_no_such_function"u8, 1));
        Assert.False(ElfImports.Redirect(library, "posix_memalig"u8, 1));
    }

    static nint Address(Tensor tensor)
    {
        fixed (byte* first = tensor.bytes)
            return (nint)first;
    }
}

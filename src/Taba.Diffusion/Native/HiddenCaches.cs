using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using static TorchSharp.torch;

namespace Taba.Diffusion.Native;

/// <summary>
/// Tells oneDNN the sizes of an AMD processor's caches where a virtual machine hides them. It takes each for one byte then, and computes
/// wrongly: weights whose channels have to be filled up to whole blocks are laid out wrongly (1x1 convolutions to 320, 512 or 1024
/// channels, and gradients of convolutions to 3), and 1x1 convolutions from 256 to 1024 channels divide by zero, which ends the process.
/// </summary>
/// <remarks>
/// Seen with oneDNN 3.7.1 (libtorch 2.10). Its reorder of a padded tensor is cut into wrong pieces when a row is larger than the first
/// cache (prb_block_for_cache); blocks of convolutions are chosen for both (docs/design/hidden-caches.md). There is no setting for it, so
/// the sizes are written into its description of the processor, one object in libtorch's data that is recognised by what it holds. Where
/// there is no such object, libtorch computes without oneDNN: right, and slower.
/// </remarks>
static unsafe class HiddenCaches
{
    /// <summary>What oneDNN keeps: ten sizes in bytes, ten numbers of cores that share one, the number of levels.</summary>
    const int Slots = 10;

    const int Levels = 3;
    const int Length = (2 * Slots) + 1;

    /// <summary>Of one core, where the processor does not tell: what oneDNN assumes where it knows of no caches.</summary>
    static readonly uint[] s_usual = [32 << 10, 512 << 10, 1 << 20];

    static readonly Lazy<bool> s_oneDnnIsRight = new(Tell);

    /// <summary>Does what is to be done before the first convolution of the process; later calls do nothing.</summary>
    /// <returns>False where oneDNN must not be used.</returns>
    /// <exception cref="NotSupportedException">oneDNN can neither be told nor be turned off.</exception>
    public static bool LetOneDnnKnow() => s_oneDnnIsRight.Value;

    /// <summary>Where the sizes begin in memory that may hold oneDNN's description of a processor whose caches are hidden.</summary>
    /// <param name="memory">Some of libtorch's data.</param>
    /// <returns>-1 where there is no such description.</returns>
    internal static int Find(ReadOnlySpan<uint> memory)
    {
        Span<uint> hidden = stackalloc uint[Length];
        hidden.Clear();
        hidden[..Levels].Fill(1);
        hidden.Slice(Slots, Levels).Fill(1);
        hidden[^1] = Levels;
        return memory.IndexOf(hidden);
    }

    /// <summary>The sizes of a core's caches in bytes, from the older of AMD's ways to tell them, which mostly is not hidden.</summary>
    /// <param name="first">ECX of 0x80000005.</param>
    /// <param name="second">ECX of 0x80000006.</param>
    internal static uint[] Sizes(uint first, uint second)
    {
        uint[] told = [(first >> 24) << 10, (second >> 16) << 10, 0];
        return [.. told.Zip(s_usual, (size, usual) => size > 0 ? size : usual)];
    }

    static bool Tell()
    {
        if (!OperatingSystem.IsLinux() || !AreHidden())
            return true;
        var sizes = Sizes((uint)Leaf(0x80000005).Ecx, (uint)Leaf(0x80000006).Ecx);
        DescribeProcessor();
        foreach (var (address, words) in DataOfLibtorch())
        {
            var memory = new Span<uint>((void*)address, words);
            if (Find(memory) is >= 0 and var at)
            {
                sizes.CopyTo(memory[at..]);
                return true;
            }
        }
        TurnOff();
        return false;
    }

    static (int Eax, int Ebx, int Ecx, int Edx) Leaf(uint number, int part = 0) => X86Base.CpuId((int)number, part);

    static bool AreHidden() =>
        X86Base.IsSupported && Leaf(0) is (_, 0x68747541, 0x444D4163, 0x69746E65) // AuthenticAMD
        && (Leaf(0x8000001D).Eax & 0x1F) == 0;

    /// <summary>oneDNN looks at the processor when it is first used, which libtorch does for a kernel as large as this.</summary>
    static void DescribeProcessor()
    {
        using var scope = NewDisposeScope();
        nn.functional.conv2d(zeros(1, 16, 8, 8), zeros(16, 16, 5, 5));
    }

    /// <summary>Where libtorch's own data lie: the writable segments of its library, as its program headers in memory tell them.</summary>
    static List<(nint Address, int Words)> DataOfLibtorch()
    {
        const int load = 1, writable = 2;
        var segments = new List<(nint, int)>();
        var first = File.ReadLines("/proc/self/maps").FirstOrDefault(line => line.EndsWith("/libtorch_cpu.so", StringComparison.Ordinal));
        if (first is null)
            return segments;
        var start = nint.Parse(first.AsSpan(0, first.IndexOf('-', StringComparison.Ordinal)), NumberStyles.HexNumber);
        var header = (byte*)start;
        var (offset, size, count) = (*(long*)(header + 32), *(ushort*)(header + 54), *(ushort*)(header + 56));
        for (var i = 0; i < count; i++)
        {
            var entry = header + offset + (i * size);
            if (*(int*)entry == load && (*(int*)(entry + 4) & writable) != 0)
                segments.Add((start + *(nint*)(entry + 16), (int)(*(long*)(entry + 40) / sizeof(uint))));
        }
        return segments;
    }

    static void TurnOff()
    {
        if (!TorchRuntime.TryLoad("libtorch_cpu.so", out var library)
            || !NativeLibrary.TryGetExport(library, "_ZN2at13globalContextEv", out var context)
            || !NativeLibrary.TryGetExport(library, "_ZN2at7Context20setUserEnabledMkldnnEb", out var enable))
            throw new NotSupportedException(
                "This virtual machine hides the sizes of the processor's caches, and with this libtorch convolutions are wrong there.");
        ((delegate* unmanaged<nint, byte, void>)enable)(((delegate* unmanaged<nint>)context)(), 0);
    }
}

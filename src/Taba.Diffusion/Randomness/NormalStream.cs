using static TorchSharp.torch;

namespace Taba.Diffusion.Randomness;

/// <summary>The endless sequence of normal values that a generator gives in blocks of 16, read at any place. Not thread-safe.</summary>
sealed class NormalStream : IDisposable
{
    const int Block = NoiseAddress.Block;

    const int MaxDraw = 1 << 16;
    const int MaxSavedStates = 1024;

    readonly Generator generator;
    readonly ScalarType dtype;
    readonly int elementSize;

    // Generator states (5 KB each) by the element they stand before, at multiples of the interval.
    readonly SortedList<long, byte[]> saved = [];
    long interval = 1 << 18;

    // Elements drawn so far, and the last block of them: a row may end inside a block that the next row begins in.
    long position;
    byte[] lastBlock;

    internal NormalStream(ulong seed, Dtype dtype)
    {
        this.dtype = dtype.ToScalarType();
        elementSize = dtype.Size();
        generator = new Generator(seed, CPU);
        lastBlock = [];
        Save();
    }

    /// <summary>All of a draw that is too small for blocks.</summary>
    internal static byte[] DrawWhole(ulong seed, Dtype dtype, long elements)
    {
        using var generator = new Generator(seed, CPU);
        using var values = randn([elements], dtype.ToScalarType(), CPU, generator: generator);
        return values.bytes.ToArray();
    }

    /// <summary>Writes the elements from a place on, as many as fit.</summary>
    internal void Read(long from, Span<byte> destination)
    {
        var skip = (int)(from % Block);
        if (skip != 0 && !destination.IsEmpty)
        {
            ReadBlock(from - skip);
            var first = lastBlock.AsSpan(skip * elementSize);
            first = first[..Math.Min(first.Length, destination.Length)];
            first.CopyTo(destination);
            destination = destination[first.Length..];
            from += first.Length / elementSize;
        }

        if (destination.IsEmpty)
            return;

        Seek(from);
        while (!destination.IsEmpty)
        {
            var wanted = destination.Length / elementSize;
            if (wanted < Block)
            {
                ReadBlock(position);
                lastBlock.AsSpan(0, destination.Length).CopyTo(destination);
                return;
            }

            var drawn = Draw(wanted - (wanted % Block), destination);
            destination = destination[(drawn * elementSize)..];
        }
    }

    /// <summary>The last 16 values of a draw of that many elements, which is not a multiple of 16.</summary>
    internal byte[] DrawTail(long elements)
    {
        var remainder = elements % Block;
        Seek(elements - remainder);
        using (var thrownAway = empty([remainder], dtype, CPU))
            thrownAway.uniform_(0, 1, generator);
        using var values = randn([Block], dtype, CPU, generator: generator);

        // The generator now stands where no stream position is.
        Restore(0);
        return values.bytes.ToArray();
    }

    public void Dispose() => generator.Dispose();

    void ReadBlock(long blockStart)
    {
        if (lastBlock.Length > 0 && blockStart == position - Block)
            return;
        Seek(blockStart);
        var block = new byte[Block * elementSize];
        Draw(Block, block);
    }

    int Draw(int wanted, Span<byte> destination)
    {
        var count = CountToSave(wanted);
        using var values = randn([count], dtype, CPU, generator: generator);
        var bytes = values.bytes;
        bytes.CopyTo(destination);
        if (lastBlock.Length == 0)
            lastBlock = new byte[Block * elementSize];
        bytes[^lastBlock.Length..].CopyTo(lastBlock);
        MoveTo(position + count);
        return count;
    }

    void Seek(long target)
    {
        if (target == position)
            return;

        var nearest = NearestSaved(target);
        if (target < position || nearest > position)
            Restore(nearest);

        // A uniform draw takes as much from the generator as a normal one of the same type, for less work.
        while (position < target)
        {
            var count = CountToSave((int)Math.Min(target - position, MaxDraw));
            using var skipped = empty([count], dtype, CPU);
            skipped.uniform_(0, 1, generator);
            lastBlock = [];
            MoveTo(position + count);
        }
    }

    // Draws end at the places where states are kept.
    int CountToSave(int wanted) => (int)Math.Min(Math.Min(wanted, MaxDraw), interval - (position % interval));

    void MoveTo(long next)
    {
        position = next;
        if (position % interval == 0 && !saved.ContainsKey(position))
            Save();
    }

    void Save()
    {
        using (var state = generator.get_state())
            saved.Add(position, state.bytes.ToArray());
        if (saved.Count <= MaxSavedStates)
            return;

        interval *= 2;
        for (var i = saved.Count - 1; i >= 0; i--)
        {
            if (saved.Keys[i] % interval != 0)
                saved.RemoveAt(i);
        }
    }

    void Restore(long place)
    {
        using var state = tensor(saved[place], ScalarType.Byte);
        generator.set_state(state);
        position = place;
        lastBlock = [];
    }

    long NearestSaved(long target)
    {
        var (low, high) = (0, saved.Count - 1);
        while (low < high)
        {
            var middle = (low + high + 1) / 2;
            (low, high) = saved.Keys[middle] <= target ? (middle, high) : (low, middle - 1);
        }

        return saved.Keys[low];
    }
}

using System.Numerics;

namespace Taba.Diffusion.Randomness;

/// <summary>The numbers of NumPy's legacy <c>RandomState(seed)</c>, which pandas samples with. Not thread-safe.</summary>
public sealed class NumpyRandomState
{
    /// <summary>The longest sequence that is permuted.</summary>
    public const long MaxLength = 1L << 31;

    /// <summary>Up to this length (64 MiB of indices) a permutation is made in memory, whatever part of it is wanted.</summary>
    const long DirectLength = 1L << 24;

    /// <summary>Swaps between two saved states of the generator (2.5 KB each): 2^31 swaps take 5 MB of states and 4 MB of swaps.</summary>
    const int TraceBlock = 1 << 20;

    readonly MersenneTwister _twister;

    /// <param name="seed">0 to 2^32 - 1, as NumPy demands.</param>
    /// <exception cref="ArgumentOutOfRangeException">The seed lies outside.</exception>
    public NumpyRandomState(long seed)
    {
        if (seed is < 0 or > uint.MaxValue)
            throw new ArgumentOutOfRangeException(
                nameof(seed), seed, $"The seed {seed} must be between 0 and {uint.MaxValue}, as NumPy demands.");
        _twister = MersenneTwister.FromSeed((uint)seed);
    }

    /// <summary>
    /// <c>permutation(length)[:count]</c>, in memory that grows with <paramref name="count"/> once the length is beyond 2^24; the
    /// first indices do not depend on the count.
    /// </summary>
    /// <param name="length">0 to <see cref="MaxLength"/>.</param>
    /// <param name="count">0 to <paramref name="length"/>.</param>
    public long[] PermutationHead(long length, int count) =>
        PermutationHead(length, count, length <= DirectLength || count > length / 8 ? null : TraceBlock);

    /// <summary>As above; with a block size the permutation is traced instead of made.</summary>
    internal long[] PermutationHead(long length, int count, int? traceBlock)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, MaxLength);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, length);
        return traceBlock is { } block ? Trace(length, count, block) : Shuffle(length, count);
    }

    /// <summary>Fisher-Yates from the end down, over the indices themselves.</summary>
    long[] Shuffle(long length, int count)
    {
        var order = new uint[length];
        for (var i = 0L; i < length; i++)
            order[i] = (uint)i;
        for (var i = length - 1; i > 0; i--)
        {
            var j = Interval((uint)i);
            (order[i], order[j]) = (order[j], order[i]);
        }

        var head = new long[count];
        for (var i = 0; i < count; i++)
            head[i] = order[i];
        return head;
    }

    /// <summary>
    /// The same without the indices: the swaps are drawn once to save the generator's state at every block, then block by block
    /// from the last to the first, and undone, which leads each of the wanted places back to where its index came from.
    /// </summary>
    long[] Trace(long length, int count, int block)
    {
        var starts = new List<MersenneTwister>();
        for (var i = length - 1; i > 0; i--)
        {
            if ((length - 1 - i) % block == 0)
                starts.Add(_twister.Clone());
            Interval((uint)i);
        }

        var slots = new Dictionary<long, int>(count);
        for (var slot = 0; slot < count; slot++)
            slots.Add(slot, slot);
        var swaps = new uint[block];
        for (var b = starts.Count - 1; b >= 0; b--)
        {
            var first = length - 1 - (long)b * block;
            var many = (int)Math.Min(block, first);
            for (var k = 0; k < many; k++)
                swaps[k] = Interval(starts[b], (uint)(first - k));
            for (var k = many - 1; k >= 0; k--)
                Undo(slots, first - k, swaps[k]);
        }

        var head = new long[count];
        foreach (var (index, slot) in slots)
            head[slot] = index;
        return head;
    }

    static void Undo(Dictionary<long, int> slots, long i, long j)
    {
        var atI = slots.Remove(i, out var slotOfI);
        var atJ = slots.Remove(j, out var slotOfJ);
        if (atI)
            slots[j] = slotOfI;
        if (atJ)
            slots[i] = slotOfJ;
    }

    uint Interval(uint most) => Interval(_twister, most);

    /// <summary>A number from 0 to <paramref name="most"/>: draws of just enough bits until one is not above it.</summary>
    static uint Interval(MersenneTwister twister, uint most)
    {
        if (most == 0)
            return 0;
        var mask = uint.MaxValue >> BitOperations.LeadingZeroCount(most);
        uint value;
        do
            value = twister.NextUInt32() & mask;
        while (value > most);
        return value;
    }
}

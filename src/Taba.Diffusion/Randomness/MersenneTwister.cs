namespace Taba.Diffusion.Randomness;

/// <summary>
/// MT19937, the 32-bit generator of Matsumoto and Nishimura 1998 ("Mersenne Twister: a 623-dimensionally equidistributed uniform
/// pseudo-random number generator"), with both of their ways to seed it (2002). Not thread-safe.
/// </summary>
sealed class MersenneTwister
{
    const int N = 624;
    const int M = 397;
    const uint UpperMask = 0x80000000;
    const uint LowerMask = 0x7fffffff;
    const uint MatrixA = 0x9908b0df;

    readonly uint[] _state;
    int _next;

    MersenneTwister(uint[] state, int next)
    {
        _state = state;
        _next = next;
    }

    /// <summary>Seeded by one word: init_genrand.</summary>
    internal static MersenneTwister FromSeed(uint seed)
    {
        var state = new uint[N];
        state[0] = seed;
        for (var i = 1; i < N; i++)
            state[i] = 1812433253u * Folded(state[i - 1]) + (uint)i;
        return new MersenneTwister(state, N);
    }

    /// <summary>Seeded by one word or more: init_by_array.</summary>
    internal static MersenneTwister FromKey(ReadOnlySpan<uint> key)
    {
        if (key.IsEmpty)
            throw new ArgumentException("A key has one word at least.", nameof(key));

        var twister = FromSeed(19650218);
        var state = twister._state;
        var (i, j) = (1, 0);
        for (var k = Math.Max(N, key.Length); k > 0; k--)
        {
            state[i] = (state[i] ^ (Folded(state[i - 1]) * 1664525u)) + key[j] + (uint)j;
            i = Following(i, state);
            j = (j + 1) % key.Length;
        }

        for (var k = N - 1; k > 0; k--)
        {
            state[i] = (state[i] ^ (Folded(state[i - 1]) * 1566083941u)) - (uint)i;
            i = Following(i, state);
        }

        state[0] = UpperMask;
        return twister;
    }

    /// <summary>A generator that goes on from here by itself.</summary>
    internal MersenneTwister Clone() => new([.. _state], _next);

    /// <summary>The next 32 bits.</summary>
    internal uint NextUInt32()
    {
        if (_next == N)
            Twist();
        var y = _state[_next++];
        y ^= y >> 11;
        y ^= (y << 7) & 0x9d2c5680;
        y ^= (y << 15) & 0xefc60000;
        return y ^ (y >> 18);
    }

    void Twist()
    {
        var state = _state;
        for (var i = 0; i < N; i++)
        {
            var y = (state[i] & UpperMask) | (state[(i + 1) % N] & LowerMask);
            state[i] = state[(i + M) % N] ^ (y >> 1) ^ ((y & 1) == 0 ? 0 : MatrixA);
        }

        _next = 0;
    }

    static uint Folded(uint word) => word ^ (word >> 30);

    /// <summary>The next index of the state, whose first word repeats the last one at every turn.</summary>
    static int Following(int i, uint[] state)
    {
        if (i + 1 < N)
            return i + 1;
        state[0] = state[N - 1];
        return 1;
    }
}

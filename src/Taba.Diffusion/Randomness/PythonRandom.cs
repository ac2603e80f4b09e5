namespace Taba.Diffusion.Randomness;

/// <summary>The numbers of CPython's <c>random</c> after <c>random.seed(int)</c>. Not thread-safe.</summary>
public sealed class PythonRandom
{
    readonly MersenneTwister _twister;

    /// <param name="seed">The seed; a negative one gives the numbers of its absolute value, as in Python.</param>
    public PythonRandom(long seed)
    {
        var magnitude = seed < 0 ? unchecked((ulong)-seed) : (ulong)seed;
        var (low, high) = ((uint)magnitude, (uint)(magnitude >> 32));
        _twister = MersenneTwister.FromKey(high == 0 ? [low] : [low, high]);
    }

    /// <summary><c>random.random()</c>: a multiple of 2^-53 in [0, 1).</summary>
    public double Random()
    {
        var high = _twister.NextUInt32() >> 5;
        var low = _twister.NextUInt32() >> 6;
        return (high * 67108864.0 + low) * (1.0 / 9007199254740992.0);
    }

    /// <summary>Which of <paramref name="population"/> things one draw of <c>random.choices</c> takes.</summary>
    /// <param name="population">How many there are, 1 or more.</param>
    public int Choice(int population)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(population);
        return (int)Math.Floor(Random() * population);
    }
}

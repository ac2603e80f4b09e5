namespace Taba.DemoModel;

/// <summary>
/// Random numbers with an address: a pure function of a stream, an index and how many were drawn before
/// (SplitMix64 of Steele, Lea and Flood 2014 over a mixed key).
/// </summary>
sealed class CounterRandom(ulong stream, ulong index)
{
    const ulong Golden = 0x9E3779B97F4A7C15;

    readonly ulong _key = Mix(Mix(stream + Golden) ^ (index * 0xD1342543DE82EF95));
    ulong _counter;

    /// <summary>Uniform in [0, 1).</summary>
    public double Next() => (Mix(_key + (++_counter * Golden)) >> 11) * (1.0 / (1UL << 53));

    /// <summary>Uniform in [<paramref name="least"/>, <paramref name="most"/>).</summary>
    public double Next(double least, double most) => least + ((most - least) * Next());

    /// <summary>Uniform in 0 .. <paramref name="count"/>-1.</summary>
    public int Pick(int count) => (int)(Next() * count);

    static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}

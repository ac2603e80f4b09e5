namespace Taba.Simulation.Scheduling;

/// <summary>The one source of chance of a run: the same seed gives the same numbers on every version of .NET.</summary>
sealed class Rng(ulong seed)
{
    ulong _state = seed * 0x9E3779B97F4A7C15 + 0x632BE59BD9B4E019;

    public ulong Next()
    {
        _state += 0x9E3779B97F4A7C15;
        return Hash.Mix(_state);
    }

    /// <summary>A number from 0 up to and without <paramref name="below"/>.</summary>
    public int Below(int below) => (int)(Next() % (ulong)below);

    public int Between(int from, int to) => from + Below(to - from + 1);

    public double Unit() => (Next() >> 11) * (1.0 / (1UL << 53));

    public bool Chance(double p) => Unit() < p;

    public TimeSpan Between(TimeSpan from, TimeSpan to) => from + TimeSpan.FromTicks((long)((to - from).Ticks * Unit()));

    public TimeSpan Seconds(double from, double to) => TimeSpan.FromSeconds(from + (to - from) * Unit());

    public T Pick<T>(IReadOnlyList<T> of) => of[Below(of.Count)];

    public T OneOf<T>(params ReadOnlySpan<T> of) => of[Below(of.Length)];
}

namespace Taba.Simulation.Scheduling;

/// <summary>Hashes that do not depend on the process, as those of .NET do.</summary>
static class Hash
{
    public static ulong Mix(ulong x)
    {
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
        return x ^ (x >> 31);
    }

    public static ulong Add(ulong hash, ReadOnlySpan<char> text)
    {
        foreach (var c in text)
            hash = (hash ^ c) * 0x100000001B3;
        return hash ^ (hash >> 29);
    }

    public static ulong Of(ReadOnlySpan<char> text) => Add(0xCBF29CE484222325, text);
}

namespace Taba.Silo.Engines;

/// <summary>The rows that replace an inversion's first predictions or states, read one at a time.</summary>
interface ISwapRows : IDisposable
{
    /// <summary>The float32 row for a sample at inversion step <paramref name="step"/>. Safe for several threads.</summary>
    ReadOnlyMemory<byte> Row(int sample, int step);
}

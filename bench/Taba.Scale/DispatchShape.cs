namespace Taba.Scale;

/// <summary>What a dispatcher has before it.</summary>
/// <param name="Stages">Stages of the sweep: one that is worked on, and others that wait for rows.</param>
/// <param name="Silos">Workers, each of which holds six parts.</param>
/// <param name="Published">Rows of the stage that are published; of four parts one is missing among them.</param>
/// <param name="Readers">Whether the other stages read the one that is worked on. Else they read one on which nothing is done.</param>
sealed record DispatchShape(int Stages, int Silos, int Published, bool Readers = false)
{
    /// <summary>The shapes of the table: one thing grows at a time, then what may not grow together.</summary>
    public static IReadOnlyList<DispatchShape> All { get; } =
    [
        new(10, 10, 0), new(10, 100, 0), new(10, 1_000, 0), new(1_000, 10, 0), new(1_000, 1_000, 0), new(10, 10, 100_000),
        new(10, 10, 1_000_000), new(10, 1_000, 1_000_000), new(10, 100, 0, Readers: true), new(100, 100, 0, Readers: true),
        new(1_000, 100, 0, Readers: true),
    ];
}

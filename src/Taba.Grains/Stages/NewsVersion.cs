namespace Taba.Grains.Stages;

/// <summary>
/// The order of what one grain tells others of itself. What another activation says is always taken for newer: the order of two activations
/// cannot be known without a common clock, and what is said of an old one is corrected within seconds.
/// </summary>
[GenerateSerializer, Immutable, Alias("taba.NewsVersion")]
public readonly record struct NewsVersion(Guid Activation, long Count)
{
    /// <summary>The version of what is told next.</summary>
    public NewsVersion Next => this with { Count = Count + 1 };

    /// <summary>Whether this is older than, or the same as, what was heard before.</summary>
    public bool IsStale(NewsVersion heard) => Activation == heard.Activation && Count <= heard.Count;

    /// <summary>A record prints all that it has, <see cref="Next"/> too, and that the next, without end.</summary>
    public override string ToString() => $"{Activation:N}/{Count}";
}

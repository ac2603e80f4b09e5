using Taba.Diffusion.Randomness;

namespace Taba.Diffusion.Conditions;

/// <summary>
/// Draws class conditions as the paper's code does: a name at random with Python's generator, then the class that the pipeline
/// knows by that name. Where two classes share a name both are drawn as the second.
/// </summary>
public static class ClassDraw
{
    /// <summary>The ids of <paramref name="count"/> draws with replacement; a shorter draw is the beginning of a longer one.</summary>
    /// <param name="condSeed">The seed: <c>random.seed(cond_seed)</c>.</param>
    /// <param name="count">How many, 0 or more.</param>
    /// <param name="labels">The classes to draw from.</param>
    public static long[] Ids(long condSeed, int count, ClassLabels labels)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentNullException.ThrowIfNull(labels);
        var random = new PythonRandom(condSeed);
        var ids = new long[count];
        for (var i = 0; i < count; i++)
            ids[i] = labels.Drawn(random.Choice(labels.Count));
        return ids;
    }
}

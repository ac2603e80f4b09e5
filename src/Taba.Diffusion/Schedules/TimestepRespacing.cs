namespace Taba.Diffusion.Schedules;

/// <summary>
/// The training steps that an inference run keeps: N of them with one integer stride ("ddimN" of Nichol and Dhariwal 2021).
/// </summary>
public static class TimestepRespacing
{
    /// <summary>0, s, 2s, ... with the smallest stride s that keeps exactly <paramref name="count"/> steps.</summary>
    /// <param name="diffusionSteps">Training steps, 1 or more.</param>
    /// <param name="count">N, 2 or more.</param>
    /// <exception cref="ArgumentException">No stride does; the message names the nearest counts that are possible.</exception>
    public static int[] Strided(int diffusionSteps, int count)
    {
        if (StrideOf(diffusionSteps, count) is not { } stride)
        {
            throw new ArgumentException(
                $"Cannot keep exactly {count} of {diffusionSteps} diffusion steps with an integer stride; " +
                $"nearest possible counts: {NearestLegal(diffusionSteps, count)}.",
                nameof(count));
        }

        var steps = new int[count];
        for (var k = 0; k < count; k++)
            steps[k] = k * stride;
        return steps;
    }

    /// <summary>True when <see cref="Strided"/> can keep that many steps.</summary>
    public static bool IsLegal(int diffusionSteps, int count) => StrideOf(diffusionSteps, count) is not null;

    /// <summary>Every count that <see cref="Strided"/> can keep, ascending.</summary>
    public static IReadOnlyList<int> LegalCounts(int diffusionSteps)
    {
        var counts = new List<int>();
        for (var stride = diffusionSteps - 1; stride >= 1; stride--)
        {
            var count = CountAt(diffusionSteps, stride);
            if (counts.Count == 0 || counts[^1] != count)
                counts.Add(count);
        }

        return counts;
    }

    // Strides stop below the step count: a stride that long would keep step 0 alone, where there is nothing to denoise.
    static int? StrideOf(int diffusionSteps, int count)
    {
        if (count < 2 || count > diffusionSteps)
            return null;
        var stride = (int)Math.Ceiling((double)diffusionSteps / count);
        return stride < diffusionSteps && CountAt(diffusionSteps, stride) == count ? stride : null;
    }

    static int CountAt(int diffusionSteps, int stride) => ((diffusionSteps - 1) / stride) + 1;

    static string NearestLegal(int diffusionSteps, int count)
    {
        var legal = LegalCounts(diffusionSteps);
        var below = legal.Where(value => value < count).TakeLast(3);
        var above = legal.Where(value => value > count).Take(3);
        return string.Join(", ", below.Concat(above));
    }
}

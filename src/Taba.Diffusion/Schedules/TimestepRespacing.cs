using System.Globalization;

namespace Taba.Diffusion.Schedules;

/// <summary>
/// Which training steps an inference run keeps: "ddimN" (N steps with one integer stride), or a comma-separated list of
/// counts, one for each of as many equal sections of the process (Nichol and Dhariwal 2021).
/// </summary>
public static class TimestepRespacing
{
    const string StridePrefix = "ddim";

    /// <summary>The kept steps, ascending.</summary>
    /// <param name="diffusionSteps">Training steps, 1 or more.</param>
    /// <param name="respacing">"ddimN", "N" or "N1,N2,...".</param>
    /// <exception cref="ArgumentException">The text is malformed, or that many steps cannot be kept; the message says which can.</exception>
    public static int[] Parse(int diffusionSteps, string respacing)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(diffusionSteps, 1);
        ArgumentException.ThrowIfNullOrWhiteSpace(respacing);
        return respacing.StartsWith(StridePrefix, StringComparison.Ordinal)
            ? Strided(diffusionSteps, ParseCount(respacing[StridePrefix.Length..], respacing))
            : Sections(diffusionSteps, [.. respacing.Split(',').Select(count => ParseCount(count, respacing))]);
    }

    /// <summary>0, s, 2s, ... with the smallest stride s that keeps exactly <paramref name="count"/> steps.</summary>
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

    /// <summary>
    /// Splits the process into as many sections as there are counts (earlier ones take the remainder) and keeps that many
    /// steps of each, its first and its last among them.
    /// </summary>
    /// <exception cref="ArgumentException">A section is shorter than its count.</exception>
    public static int[] Sections(int diffusionSteps, IReadOnlyList<int> counts)
    {
        ArgumentNullException.ThrowIfNull(counts);
        if (counts.Count == 0)
            throw new ArgumentException("Respacing needs at least one section.", nameof(counts));

        var (length, longer) = Math.DivRem(diffusionSteps, counts.Count);
        var steps = new List<int>();
        var start = 0;
        for (var section = 0; section < counts.Count; section++)
        {
            var size = length + (section < longer ? 1 : 0);
            var count = counts[section];
            if (count > size)
            {
                throw new ArgumentException(
                    $"Section {section} of the respacing has {size} diffusion steps, {count} were asked for; ask for at most {size}.",
                    nameof(counts));
            }

            // Summed step by step, not multiplied: a position that falls on a half rounds as it does upstream.
            var spacing = count > 1 ? (double)(size - 1) / (count - 1) : 1;
            var position = 0.0;
            for (var k = 0; k < count; k++, position += spacing)
                steps.Add(start + (int)Math.Round(position, MidpointRounding.ToEven));
            start += size;
        }

        return [.. steps];
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

    static int ParseCount(string text, string respacing) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count > 0
            ? count
            : throw new ArgumentException(
                $"'{respacing}' is not a respacing: write 'ddimN', 'N' or 'N1,N2,...' with counts of 1 or more.", nameof(respacing));
}

namespace Taba.Diffusion.Conditions;

/// <summary>The distance of a word from others (Levenshtein 1966), to say what was probably meant.</summary>
static class EditDistance
{
    /// <summary>No name is longer; beyond it nothing is compared, so that a hostile word costs nothing.</summary>
    const int MaxLength = 100;

    /// <summary>The names nearest to a word, the nearest first; of equal ones the earlier first. Case does not count.</summary>
    internal static IReadOnlyList<string> Nearest(string word, IEnumerable<string> names, int most)
    {
        if (word.Length > MaxLength)
            return [];
        var limit = Math.Max(2, word.Length / 3);
        return
        [
            .. names.Where(name => name.Length <= MaxLength && Math.Abs(name.Length - word.Length) <= limit)
                .Select(name => (Name: name, Distance: Between(word, name)))
                .Where(near => near.Distance <= limit)
                .OrderBy(near => near.Distance)
                .Select(near => near.Name)
                .Distinct(StringComparer.OrdinalIgnoreCase)
                .Take(most),
        ];
    }

    /// <summary>Insertions, deletions and replacements of characters that turn one word into the other.</summary>
    internal static int Between(string a, string b)
    {
        var (previous, current) = (new int[b.Length + 1], new int[b.Length + 1]);
        for (var j = 0; j <= b.Length; j++)
            previous[j] = j;
        for (var i = 0; i < a.Length; i++)
        {
            current[0] = i + 1;
            for (var j = 0; j < b.Length; j++)
            {
                var replaced = previous[j] + (char.ToLowerInvariant(a[i]) == char.ToLowerInvariant(b[j]) ? 0 : 1);
                current[j + 1] = Math.Min(replaced, Math.Min(previous[j + 1], current[j]) + 1);
            }

            (previous, current) = (current, previous);
        }

        return previous[b.Length];
    }
}

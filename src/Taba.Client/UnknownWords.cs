namespace Taba.Client;

/// <summary>Finds the word that someone meant.</summary>
static class UnknownWords
{
    /// <summary>The nearest of the known words, or null when none is near.</summary>
    public static string? Nearest(string word, IEnumerable<string> known)
    {
        var plain = Plain(word);
        var best = known
            .Select(k => (Word: k, Distance: Distance(plain, Plain(k))))
            .OrderBy(c => c.Distance)
            .ThenBy(c => c.Word, StringComparer.Ordinal)
            .FirstOrDefault();
        var allowed = Math.Max(1, plain.Length / 3);
        return best.Word is not null && best.Distance <= allowed ? best.Word : null;
    }

    /// <summary>" Did you mean X?", or the list of what is known when it is short, or nothing.</summary>
    public static string Hint(string word, IReadOnlyCollection<string> known) => Nearest(word, known) switch
    {
        { } near => $" Did you mean {near}?",
        null when known.Count is > 0 and <= 30 => $" Known: {string.Join(", ", known)}.",
        null => "",
    };

    static string Plain(string word) => word.TrimStart('-').Replace('-', '_').ToLowerInvariant();

    /// <summary>Edits (insertion, deletion, replacement) between two words.</summary>
    static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var above = row[j];
                row[j] = Math.Min(Math.Min(above, row[j - 1]) + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1));
                diagonal = above;
            }
        }
        return row[b.Length];
    }
}

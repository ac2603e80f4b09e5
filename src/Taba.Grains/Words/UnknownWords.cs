namespace Taba.Grains.Words;

/// <summary>Finds the word that someone meant.</summary>
public static class UnknownWords
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

    /// <summary>Edits (insertion, deletion, replacement, exchange of neighbours) between two words.</summary>
    static int Distance(string a, string b)
    {
        var edits = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++)
        {
            for (var j = 0; j <= b.Length; j++)
            {
                if (i == 0 || j == 0)
                {
                    edits[i, j] = i + j;
                    continue;
                }
                var replaced = edits[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
                edits[i, j] = Math.Min(Math.Min(edits[i - 1, j], edits[i, j - 1]) + 1, replaced);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                    edits[i, j] = Math.Min(edits[i, j], edits[i - 2, j - 2] + 1);
            }
        }
        return edits[a.Length, b.Length];
    }
}

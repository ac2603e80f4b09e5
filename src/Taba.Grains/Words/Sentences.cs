using System.Diagnostics.CodeAnalysis;

namespace Taba.Grains.Words;

/// <summary>Reasons that others gave, within sentences of ours.</summary>
public static class Sentences
{
    /// <summary>Characters of a reason of which there may be many: it is for people.</summary>
    public const int MostReason = 200;

    const string Cut = " ...";

    /// <summary>A reason within a sentence, which has its own full stop.</summary>
    public static string Bare(string reason) => reason.EndsWith(Cut, StringComparison.Ordinal) ? reason : reason.TrimEnd('.', ' ', '\n');

    /// <summary>A reason of at most <see cref="MostReason"/> characters; a longer one ends between words, and shows that it does.</summary>
    [return: NotNullIfNotNull(nameof(reason))]
    public static string? Short(string? reason)
    {
        if (reason is null || reason.Length <= MostReason)
            return reason;
        var most = MostReason - Cut.Length;
        var word = reason.LastIndexOf(' ', most);
        return reason[..(word > most / 2 ? word : most)].TrimEnd() + Cut;
    }
}

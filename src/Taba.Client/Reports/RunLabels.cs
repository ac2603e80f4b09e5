using System.Globalization;

namespace Taba.Client.Reports;

/// <summary>Names and order of interventions for readers.</summary>
static class RunLabels
{
    /// <summary>"forward K = 3" of forward_before3; "plain inversion" of none.</summary>
    public static string Of(string? intervention)
    {
        if (intervention is null)
            return "plain inversion";
        var (kind, before) = Split(intervention);
        return before is null ? intervention : $"{kind.Replace('_', ' ')} K = {before}";
    }

    /// <summary>Plain first, then kinds, each by K.</summary>
    public static (int, string, int) Order(string? intervention)
    {
        if (intervention is null)
            return (0, "", 0);
        var (kind, before) = Split(intervention);
        return (1, kind, before ?? int.MaxValue);
    }

    static (string Kind, int? Before) Split(string intervention)
    {
        const string Word = "_before";
        var at = intervention.LastIndexOf(Word, StringComparison.Ordinal);
        return at > 0 && int.TryParse(intervention[(at + Word.Length)..], NumberStyles.None, CultureInfo.InvariantCulture, out var before)
            ? (intervention[..at], before)
            : (intervention, null);
    }
}

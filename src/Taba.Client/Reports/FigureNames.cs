using System.Globalization;
using System.Text;

namespace Taba.Client.Reports;

/// <summary>Names of the files of figures: what they are of, in letters that every system takes.</summary>
static class FigureNames
{
    const int Longest = 100;

    /// <summary>"demo-t-10-n-256-over-k".</summary>
    public static string Of(ReportGroup group, string what) => $"{Plain(group.Title)}-{what}";

    /// <summary>Of groups that differ in T only.</summary>
    public static string Of(IReadOnlyList<ReportGroup> groups, string what) => $"{Plain(FamilyTitle(groups[0]))}-{what}";

    /// <summary>What a group has in common with those of other T.</summary>
    public static string FamilyTitle(ReportGroup group) => string.Join(
        ", ", group.Axes.Where(a => a.Key != AxisCharts.Axis(group)).Select(a => a.Value).Append($"N = {group.Samples}"));

    static string Plain(string title)
    {
        var name = new StringBuilder();
        foreach (var letter in title.ToLower(CultureInfo.InvariantCulture))
        {
            if (char.IsAsciiLetterOrDigit(letter) || letter == '.')
                name.Append(letter);
            else if (name.Length > 0 && name[^1] != '-')
                name.Append('-');
        }
        var whole = name.ToString().Trim('-', '.');
        return whole.Length <= Longest ? whole : whole[^Longest..].TrimStart('-', '.');
    }
}

using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Taba.Silo.Storage;

namespace Taba.Silo.Checkpoints;

/// <summary>
/// Remembers which records are forgotten, and up to which place. Without it every start would bring back records of published rows
/// that lie in a file beside records still wanted. A line each, a hundred bytes a part; a lost or torn line costs disk, never work.
/// </summary>
sealed class ForgottenLog(string folder)
{
    readonly string _path = Path.Combine(folder, "forgotten");

    /// <summary>The lines that can be read, oldest first.</summary>
    public ImmutableArray<Forgotten> Read() =>
        File.Exists(_path) ? [.. File.ReadLines(_path).Select(Parse).OfType<Forgotten>()] : [];

    public void Append(Forgotten forgotten) => File.AppendAllText(_path, Line(forgotten));

    /// <summary>Leaves these lines only.</summary>
    public void Rewrite(IReadOnlyList<Forgotten> lines)
    {
        if (lines.Count > 0)
            DurableFile.Replace(_path, Encoding.UTF8.GetBytes(string.Concat(lines.Select(Line))));
        else
            File.Delete(_path);
    }

    static string Line(Forgotten f) => string.Create(
        CultureInfo.InvariantCulture,
        $"{Uri.EscapeDataString(f.StageKey)} {f.Rows.Start} {f.Rows.End} {f.Before.Segment} {f.Before.Offset} .\n");

    static Forgotten? Parse(string line)
    {
        // The full stop at the end is the last thing written: without it the line is torn.
        if (line.Split(' ') is not [var key, var start, var end, var segment, var offset, "."]
            || !int.TryParse(start, NumberStyles.None, CultureInfo.InvariantCulture, out var first)
            || !int.TryParse(end, NumberStyles.None, CultureInfo.InvariantCulture, out var last)
            || !long.TryParse(offset, NumberStyles.None, CultureInfo.InvariantCulture, out var at))
            return null;
        return new(Uri.UnescapeDataString(key), new(first, last), new(segment, at));
    }
}

/// <summary>Rows whose records before a position are not wanted any more.</summary>
sealed record Forgotten(string StageKey, RowRange Rows, SegmentPosition Before);

/// <summary>A place in the order in which records were written.</summary>
/// <param name="Segment">File name of the segment; names are in the order of time.</param>
readonly record struct SegmentPosition(string Segment, long Offset) : IComparable<SegmentPosition>
{
    public int CompareTo(SegmentPosition other)
    {
        var files = string.CompareOrdinal(Segment, other.Segment);
        return files != 0 ? files : Offset.CompareTo(other.Offset);
    }
}

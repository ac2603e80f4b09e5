using Orleans;

namespace Taba;

/// <summary>Rows <c>[Start, End)</c> of a stage.</summary>
[GenerateSerializer, Immutable, Alias("taba.RowRange")]
public readonly record struct RowRange(int Start, int End)
{
    public int Count => End - Start;

    public bool IsEmpty => End <= Start;

    public bool Contains(RowRange other) => Start <= other.Start && other.End <= End;

    public RowRange Intersect(RowRange other)
    {
        var start = Math.Max(Start, other.Start);
        return new(start, Math.Max(start, Math.Min(End, other.End)));
    }

    public override string ToString() => $"[{Start}, {End})";
}

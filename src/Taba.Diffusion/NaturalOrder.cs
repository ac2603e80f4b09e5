namespace Taba.Diffusion;

/// <summary>Orders names as people do: a2 before a10. Runs of digits compare as numbers, all else by character; case counts.</summary>
public sealed class NaturalOrder : IComparer<string>
{
    public static readonly NaturalOrder Instance = new();

    public int Compare(string? x, string? y)
    {
        if (x is null || y is null)
            return string.CompareOrdinal(x, y);

        var a = x.AsSpan();
        var b = y.AsSpan();
        while (!a.IsEmpty && !b.IsEmpty)
        {
            var (digitsOfA, digitsOfB) = (Digits(a), Digits(b));
            var order = digitsOfA > 0 && digitsOfB > 0 ? CompareNumbers(a[..digitsOfA], b[..digitsOfB]) : a[0].CompareTo(b[0]);
            if (order != 0)
                return order;
            var both = digitsOfA > 0 && digitsOfB > 0;
            a = a[(both ? digitsOfA : 1)..];
            b = b[(both ? digitsOfB : 1)..];
        }

        // Names that differ only in leading zeros are still in one order.
        return a.Length != b.Length ? a.Length.CompareTo(b.Length) : string.CompareOrdinal(x, y);
    }

    static int Digits(ReadOnlySpan<char> text)
    {
        var other = text.IndexOfAnyExceptInRange('0', '9');
        return other < 0 ? text.Length : other;
    }

    static int CompareNumbers(ReadOnlySpan<char> a, ReadOnlySpan<char> b)
    {
        a = a.TrimStart('0');
        b = b.TrimStart('0');
        return a.Length != b.Length ? a.Length.CompareTo(b.Length) : a.SequenceCompareTo(b);
    }
}

using System.Buffers.Binary;
using System.Text;

namespace Taba.Fuzz;

/// <summary>Damage and malice: what discs, transfers, editors and people do to files.</summary>
static class Mutations
{
    const int MostInput = 4 << 20;

    static readonly string[] s_words =
    [
        "0", "-1", "1", "1e999", "-0", "NaN", "Infinity", "9223372036854775808", "2147483648", "4294967295", "1e308", "0.5", "null", "true",
        "false", "\"\"", "\"\\u0000\"", "\"\\ud800\"", "[]", "{}", "[[[[[[[[", "{\"a\":", "'", "\"", "...", "---", "&a", "*a", "!!x",
        "<<: *a",
        "../../../etc/passwd", "/dev/zero", "\u202e", "\u001b[2J", "\ufeff", "\0", "ü", "\ud83d\ude00", "\n", "\t", " ", ",", ":", "=", "#",
        "1,5", "1..4", "1_000", "0x10", "yes", "~", "|", ">", "%", "@", "`",
    ];

    /// <returns>The input, and the number of the seed that it was made from.</returns>
    public static (byte[] Input, int Seed) Of(FuzzFamily family, Random random)
    {
        var seed = random.Next(family.Seeds.Count);
        var input = family.Seeds[seed];
        for (var rounds = 1 + random.Next(4); rounds > 0; rounds--)
        {
            // Text is damaged as bytes too, and headers of binary files hold text.
            input = random.Next(10) < (family.IsText ? 7 : 2) ? Text(input, random) : Bytes(input, family, random);
        }
        return (input.Length > MostInput ? input[..MostInput] : input, seed);
    }

    static byte[] Bytes(byte[] input, FuzzFamily family, Random random)
    {
        if (input.Length == 0)
            return [(byte)random.Next(256)];
        var at = Position(input.Length, random);
        var copy = (byte[])input.Clone();
        switch (random.Next(9))
        {
            case 0:
                copy[at] ^= (byte)(1 << random.Next(8));
                return copy;
            case 1:
                copy[at] = (byte)(random.Next(4) switch { 0 => 0, 1 => 255, 2 => 127, _ => random.Next(256) });
                return copy;
            case 2:
                return copy[..at];
            case 3:
                return [.. copy[..at], .. copy[Math.Min(copy.Length, at + 1 + random.Next(32))..]];
            case 4:
                var length = Math.Min(copy.Length - at, 1 + random.Next(64));
                return [.. copy[..(at + length)], .. copy[at..]];
            case 5:
                var inserted = new byte[1 + random.Next(16)];
                random.NextBytes(inserted);
                return [.. copy[..at], .. inserted, .. copy[at..]];
            case 6:
                return Number(copy, at, random);
            case 7:
                // The beginning of one and the end of another.
                var other = family.Seeds[random.Next(family.Seeds.Count)];
                return [.. copy[..at], .. other[Math.Min(other.Length, at)..]];
            default:
                for (var i = at; i < Math.Min(copy.Length, at + 1 + random.Next(16)); i++)
                    copy[i] = (byte)random.Next(256);
                return copy;
        }
    }

    /// <summary>Lengths and offsets that do not fit what follows.</summary>
    static byte[] Number(byte[] copy, int at, Random random)
    {
        var size = 1 << random.Next(4);
        if (at + size > copy.Length)
            return copy;
        Span<byte> bytes = stackalloc byte[8];
        var value = random.Next(6) switch
        {
            0 => long.MaxValue,
            1 => long.MinValue,
            2 => -1,
            3 => int.MaxValue,
            4 => copy.Length,
            _ => random.NextInt64(),
        };
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        bytes[..size].CopyTo(copy.AsSpan(at));
        return copy;
    }

    static byte[] Text(byte[] input, Random random)
    {
        // One char a byte, so that what is not touched stays as it is.
        var text = Encoding.Latin1.GetString(input);
        var at = Position(text.Length + 1, random);
        var word = Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(s_words[random.Next(s_words.Length)]));
        var (start, end) = Token(text, at);
        var changed = random.Next(6) switch
        {
            0 => text.Insert(at, word),
            1 => $"{text[..start]}{word}{text[end..]}",
            2 => text.Remove(start, end - start),
            3 => text.Insert(end, text[start..end]),
            4 => Swapped(text, start, end, random),
            _ => Line(text, at, random),
        };
        return Encoding.Latin1.GetBytes(changed);
    }

    static string Swapped(string text, int start, int end, Random random)
    {
        var (from, to) = Token(text, Position(text.Length + 1, random));
        return to <= start ? $"{text[..from]}{text[start..end]}{text[to..start]}{text[from..to]}{text[end..]}"
            : from >= end ? $"{text[..start]}{text[from..to]}{text[end..from]}{text[start..end]}{text[to..]}"
            : text;
    }

    /// <summary>A line twice, or not at all.</summary>
    static string Line(string text, int at, Random random)
    {
        var start = at == 0 ? 0 : text.LastIndexOf('\n', Math.Min(at, text.Length) - 1) + 1;
        var end = text.IndexOf('\n', at) is >= 0 and var found ? found + 1 : text.Length;
        return random.Next(2) == 0 ? text.Insert(start, text[start..end]) : text.Remove(start, end - start);
    }

    /// <summary>The word, or the sign, at a position.</summary>
    static (int Start, int End) Token(string text, int at)
    {
        if (at >= text.Length)
            return (text.Length, text.Length);
        var (start, end) = (at, at + 1);
        if (!char.IsAsciiLetterOrDigit(text[at]))
            return (start, end);
        while (start > 0 && IsWord(text[start - 1]))
            start--;
        while (end < text.Length && IsWord(text[end]))
            end++;
        return (start, end);

        static bool IsWord(char c) => char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or '-';
    }

    /// <summary>Structure lies at the beginning of most files, and at the end of some.</summary>
    static int Position(int length, Random random) => random.Next(4) switch
    {
        0 => random.Next(Math.Min(length, 64)),
        1 => length - 1 - random.Next(Math.Min(length, 64)),
        2 => random.Next(Math.Min(length, 2048)),
        _ => random.Next(length),
    };
}

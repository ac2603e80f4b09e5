using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Taba.Diffusion.Weights.Pickle;

/// <summary>The bytes of a pickle and the place that is read next; no length is taken on trust.</summary>
sealed class PickleBytes(byte[] data, int position, Func<string, Exception> fault)
{
    /// <summary>Far more than a global's name and the digits of a memo index have.</summary>
    const int MaxLine = 256;

    static readonly UTF8Encoding s_strictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public int Position { get; private set; } = position;

    public byte TakeByte() => Take(1)[0];

    public uint TakeUInt32() => BinaryPrimitives.ReadUInt32LittleEndian(Take(4));

    /// <summary>A length of eight bytes, which cannot be more than what is left.</summary>
    public long TakeLength8()
    {
        var length = BinaryPrimitives.ReadUInt64LittleEndian(Take(8));
        return length <= (ulong)(data.Length - Position) ? (long)length : throw CutShort(length);
    }

    /// <summary>A number in digits, up to the end of a line.</summary>
    public uint TakeDecimal()
    {
        var line = TakeLine(MaxLine);
        return uint.TryParse(line, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw fault($"its pickle has a memo index at {Position - line.Length - 1} that is no number.");
    }

    public ReadOnlySpan<byte> Take(long count)
    {
        if (count > data.Length - Position)
            throw CutShort((ulong)count);
        var bytes = data.AsSpan(Position, (int)count);
        Position += (int)count;
        return bytes;
    }

    Exception CutShort(ulong needed) => fault(
        $"its pickle ends in the middle: it needs {needed} bytes at {Position}, where {data.Length - Position} are left; it was cut "
        + "short or is damaged.");

    /// <summary>UTF-8 of a length.</summary>
    public string TakeText(long count) => Text(Take(count));

    /// <summary>UTF-8 up to the end of a line.</summary>
    public string TakeName() => Text(TakeLine(MaxLine));

    /// <summary>The lines that begin here, in Latin-1, the last of them unfinished; nothing is taken.</summary>
    public string[] PeekLines() =>
        Encoding.Latin1.GetString(data.AsSpan(Position, Math.Min(2 * MaxLine, data.Length - Position))).Split('\n');

    /// <summary>The bytes up to the end of a line, which is not among them.</summary>
    public ReadOnlySpan<byte> TakeLine(int most)
    {
        var length = data.AsSpan(Position, Math.Min(most, data.Length - Position)).IndexOf((byte)'\n');
        if (length < 0)
            throw fault($"its pickle holds a line at {Position} that does not end within {most} bytes.");
        var line = Take(length);
        Take(1);
        return line;
    }

    string Text(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return s_strictUtf8.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            throw fault($"its pickle holds text before {Position} that is not UTF-8.");
        }
    }
}

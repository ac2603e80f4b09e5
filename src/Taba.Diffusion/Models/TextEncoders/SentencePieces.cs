using System.Text;

namespace Taba.Diffusion.Models.TextEncoders;

/// <summary>
/// The pieces of a SentencePiece model file, in the order of their ids, read from the protobuf message itself: ModelProto has its
/// pieces in field 1, each with its text in field 1. (The library's own vocabulary also lists what the trainer's settings name.)
/// </summary>
static class SentencePieces
{
    const int PieceField = 1;
    const int TextField = 1;

    /// <summary>The texts of all pieces.</summary>
    /// <exception cref="InvalidDataException">The bytes are not such a message.</exception>
    public static List<string> Read(ReadOnlySpan<byte> message)
    {
        var pieces = new List<string>();
        while (NextField(ref message, out var field, out var value))
        {
            if (field == PieceField)
                pieces.Add(Text(value));
        }

        return pieces;
    }

    static string Text(ReadOnlySpan<byte> piece)
    {
        var text = "";
        while (NextField(ref piece, out var field, out var value))
        {
            if (field == TextField)
                text = Encoding.UTF8.GetString(value);
        }

        return text;
    }

    /// <summary>Takes one field off a message; its value is empty unless it is a string or a message.</summary>
    static bool NextField(ref ReadOnlySpan<byte> message, out ulong field, out ReadOnlySpan<byte> value)
    {
        field = 0;
        value = default;
        if (message.IsEmpty)
            return false;
        var tag = Varint(ref message);
        field = tag >> 3;
        switch (tag & 7)
        {
            case 0:
                Varint(ref message);
                break;
            case 1:
                Take(ref message, 8);
                break;
            case 2:
                value = Take(ref message, Varint(ref message));
                break;
            case 5:
                Take(ref message, 4);
                break;
            default:
                throw new InvalidDataException($"a field has the wire type {tag & 7}");
        }

        return true;
    }

    static ulong Varint(ref ReadOnlySpan<byte> message)
    {
        var value = 0UL;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var next = Take(ref message, 1)[0];
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
                return value;
        }

        throw new InvalidDataException("a number has more than 64 bits");
    }

    static ReadOnlySpan<byte> Take(ref ReadOnlySpan<byte> message, ulong count)
    {
        if (count > (ulong)message.Length)
            throw new InvalidDataException("a field reaches beyond the end");
        var taken = message[..(int)count];
        message = message[(int)count..];
        return taken;
    }
}

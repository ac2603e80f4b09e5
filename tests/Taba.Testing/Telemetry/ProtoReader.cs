using System.Text;

namespace Taba.Testing.Telemetry;

/// <summary>Reads the fields of a protobuf message, enough of the encoding for what OTLP sends.</summary>
public readonly struct ProtoMessage(ReadOnlyMemory<byte> bytes)
{
    /// <summary>The fields in their order: number, and the bytes of what has a length; other fields are passed over.</summary>
    public IEnumerable<(int Number, ReadOnlyMemory<byte> Bytes)> Fields()
    {
        var at = 0;
        while (at < bytes.Length)
        {
            var key = Varint(ref at);
            switch (key & 7)
            {
                case 0:
                    Varint(ref at);
                    break;
                case 1:
                    at += 8;
                    break;
                case 2:
                    var length = (int)Varint(ref at);
                    yield return ((int)(key >> 3), bytes.Slice(at, length));
                    at += length;
                    break;
                case 5:
                    at += 4;
                    break;
                default:
                    throw new InvalidDataException($"The wire type {key & 7} is not of this encoding.");
            }
        }
    }

    /// <summary>The messages of a field.</summary>
    public IEnumerable<ProtoMessage> Messages(int number) =>
        Fields().Where(f => f.Number == number).Select(f => new ProtoMessage(f.Bytes));

    /// <summary>The text of a field; empty when it is not there.</summary>
    public string Text(int number) => Encoding.UTF8.GetString(Bytes(number).Span);

    /// <summary>The bytes of a field in hexadecimal; empty when it is not there.</summary>
    public string Hex(int number) => Convert.ToHexStringLower(Bytes(number).Span);

    ReadOnlyMemory<byte> Bytes(int number) => Fields().LastOrDefault(f => f.Number == number).Bytes;

    ulong Varint(ref int at)
    {
        var value = 0UL;
        for (var shift = 0; ; shift += 7)
        {
            var part = bytes.Span[at++];
            value |= (ulong)(part & 0x7F) << shift;
            if (part < 0x80)
                return value;
        }
    }
}

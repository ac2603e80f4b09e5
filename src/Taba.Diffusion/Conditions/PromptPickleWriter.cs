using System.Buffers.Binary;
using System.Text;
using static Taba.Diffusion.Weights.Pickle.PickleOpcode;

namespace Taba.Diffusion.Conditions;

/// <summary>Writes the pickle of a list of str. A prompt that comes again is written once and recalled, as Python does.</summary>
static class PromptPickleWriter
{
    static readonly UTF8Encoding s_strictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    internal static void Write(Stream destination, IEnumerable<string> prompts)
    {
        var memo = new Dictionary<string, uint>(StringComparer.Ordinal);
        destination.Write([(byte)PROTO, 4, (byte)EMPTY_LIST, (byte)MARK]);
        foreach (var prompt in prompts)
        {
            if (memo.TryGetValue(prompt, out var index))
            {
                WriteRecall(destination, index);
                continue;
            }

            memo.Add(prompt, (uint)memo.Count);
            WriteText(destination, prompt);
            destination.WriteByte((byte)MEMOIZE);
        }

        destination.Write([(byte)APPENDS, (byte)STOP]);
    }

    static void WriteRecall(Stream destination, uint index)
    {
        if (index <= byte.MaxValue)
        {
            destination.Write([(byte)BINGET, (byte)index]);
            return;
        }

        Span<byte> recall = [(byte)LONG_BINGET, 0, 0, 0, 0];
        BinaryPrimitives.WriteUInt32LittleEndian(recall[1..], index);
        destination.Write(recall);
    }

    static void WriteText(Stream destination, string text)
    {
        var bytes = Encode(text);
        if (bytes.Length <= byte.MaxValue)
        {
            destination.Write([(byte)SHORT_BINUNICODE, (byte)bytes.Length]);
        }
        else
        {
            Span<byte> head = [(byte)BINUNICODE, 0, 0, 0, 0];
            BinaryPrimitives.WriteUInt32LittleEndian(head[1..], (uint)bytes.Length);
            destination.Write(head);
        }

        destination.Write(bytes);
    }

    static byte[] Encode(string text)
    {
        try
        {
            return s_strictUtf8.GetBytes(text);
        }
        catch (EncoderFallbackException e)
        {
            throw new ArgumentException("A prompt holds half of a surrogate pair, which is no text.", nameof(text), e);
        }
    }
}

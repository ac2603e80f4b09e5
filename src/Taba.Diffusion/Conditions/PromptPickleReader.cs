using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using static Taba.Diffusion.Conditions.PromptPickleOpcode;

namespace Taba.Diffusion.Conditions;

/// <summary>
/// Reads the pickle of a list of str, of any protocol, and nothing else. Nothing is ever executed: whatever such a list does not
/// need is refused by name. On the stack stand strings and the one list; the memo holds the same.
/// </summary>
/// <param name="data">The pickle.</param>
/// <param name="path">Its file, for messages.</param>
sealed class PromptPickleReader(byte[] data, string path)
{
    const int NewestProtocol = 5;

    /// <summary>A prompt takes two or three values (itself, its memo, a mark).</summary>
    const int MaxValues = 4 * PromptFile.MaxPrompts;

    /// <summary>Far more than the digits of a memo index or a global's name have.</summary>
    const int MaxLine = 256;

    static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    readonly List<object> _stack = [];
    readonly Stack<int> _marks = new();
    readonly Dictionary<uint, object> _memo = [];
    int _position;
    int _values;

    /// <summary>The strings of the list.</summary>
    /// <exception cref="InvalidDataException">The pickle is damaged or holds something else.</exception>
    public List<string> Read()
    {
        while (true)
        {
            var at = _position;
            var opcode = (PromptPickleOpcode)TakeByte();
            if (opcode == STOP)
                return Result();
            if (!TryPushText(opcode) && !TryBuildList(opcode) && !TryUseMemo(opcode))
                throw Refused(opcode, at);
        }
    }

    List<string> Result()
    {
        var result = Pop();
        if (_stack.Count != 0 || _marks.Count != 0)
            throw Fault("it ends with values left over.");
        return result as List<string> ?? throw Fault("it holds a single text; a list of str is expected.");
    }

    bool TryPushText(PromptPickleOpcode opcode)
    {
        switch (opcode)
        {
            case PROTO:
                var protocol = TakeByte();
                if (protocol > NewestProtocol)
                    throw Fault($"it has protocol {protocol}; 0 to {NewestProtocol} are known.");
                return true;
            case FRAME:
                // The frame goes on with the same stream of opcodes.
                TakeLength8();
                return true;
            case SHORT_BINUNICODE:
                Push(Text(Take(TakeByte())));
                return true;
            case BINUNICODE:
                Push(Text(Take(TakeUInt32())));
                return true;
            case BINUNICODE8:
                Push(Text(Take(TakeLength8())));
                return true;
            case UNICODE:
                Push(RawUnicodeEscape.Decode(TakeLine(PromptFile.MaxPromptLength * 10)) ?? throw Fault("it holds text that is no valid Unicode."));
                return true;
            default:
                return false;
        }
    }

    bool TryBuildList(PromptPickleOpcode opcode)
    {
        switch (opcode)
        {
            case MARK:
                CountValue();
                _marks.Push(_stack.Count);
                return true;
            case EMPTY_LIST:
                Push(new List<string>());
                return true;
            case LIST:
                Push(PopTexts());
                return true;
            case APPEND:
                var text = PopText();
                PeekList().Add(text);
                return true;
            case APPENDS:
                var texts = PopTexts();
                PeekList().AddRange(texts);
                return true;
            default:
                return false;
        }
    }

    bool TryUseMemo(PromptPickleOpcode opcode)
    {
        switch (opcode)
        {
            case MEMOIZE:
                Remember((uint)_memo.Count);
                return true;
            case BINPUT:
                Remember(TakeByte());
                return true;
            case LONG_BINPUT:
                Remember(TakeUInt32());
                return true;
            case PUT:
                Remember(TakeDecimal());
                return true;
            case BINGET:
                Push(Recall(TakeByte()));
                return true;
            case LONG_BINGET:
                Push(Recall(TakeUInt32()));
                return true;
            case GET:
                Push(Recall(TakeDecimal()));
                return true;
            default:
                return false;
        }
    }

    InvalidDataException Refused(PromptPickleOpcode opcode, int at) => opcode switch
    {
        GLOBAL or INST => RefusedGlobal(Name(TakeLine(MaxLine)), Name(TakeLine(MaxLine))),
        STACK_GLOBAL when _stack is [.., string module, string name] => RefusedGlobal(Name(module), Name(name)),
        _ when Enum.IsDefined(opcode) => Fault($"it uses opcode {opcode} at {at}, which a list of str does not need."),
        _ => Fault($"it holds 0x{(byte)opcode:x2} at {at}, which is no opcode; it is damaged or no pickle."),
    };

    InvalidDataException RefusedGlobal(string module, string name) =>
        Fault($"it names the global '{module}.{name}', which a list of str does not need; it may be hostile.");

    static string Name(ReadOnlySpan<byte> bytes) => Name(Encoding.Latin1.GetString(bytes));

    static string Name(string text) =>
        string.Concat(text.Take(60).Select(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' ? c : '?')) + (text.Length > 60 ? "..." : "");

    void Remember(uint index)
    {
        CountValue();
        _memo[index] = Peek();
    }

    object Recall(uint index) => _memo.TryGetValue(index, out var value) ? value : throw Fault($"it recalls value {index}, which it never stored.");

    void Push(object value)
    {
        CountValue();
        _stack.Add(value);
    }

    void CountValue()
    {
        if (++_values > MaxValues)
            throw Fault($"it makes more than {MaxValues} values.");
    }

    object Pop()
    {
        var value = Peek();
        _stack.RemoveAt(_stack.Count - 1);
        return value;
    }

    object Peek() => _stack.Count > (_marks.TryPeek(out var mark) ? mark : 0) ? _stack[^1] : throw Fault("it takes a value that it never gave.");

    string PopText() => Pop() as string ?? throw Fault("its list holds a list; a list of str is expected.");

    List<string> PopTexts()
    {
        if (!_marks.TryPop(out var mark))
            throw Fault("it ends a sequence that it never began.");
        var texts = new List<string>(_stack.Count - mark);
        for (var i = mark; i < _stack.Count; i++)
            texts.Add(_stack[i] as string ?? throw Fault("its list holds a list; a list of str is expected."));
        _stack.RemoveRange(mark, _stack.Count - mark);
        return texts;
    }

    List<string> PeekList() => Peek() as List<string> ?? throw Fault("it appends to something that is no list.");

    byte TakeByte() => Take(1)[0];

    uint TakeUInt32() => BinaryPrimitives.ReadUInt32LittleEndian(Take(4));

    /// <summary>A length of eight bytes, which cannot be more than what is left.</summary>
    long TakeLength8()
    {
        var length = BinaryPrimitives.ReadUInt64LittleEndian(Take(8));
        return length <= (ulong)(data.Length - _position)
            ? (long)length
            : throw Fault($"it states {length} bytes at {_position - 8}, where {data.Length - _position} are left; it was cut short or is damaged.");
    }

    uint TakeDecimal()
    {
        var line = TakeLine(MaxLine);
        return uint.TryParse(line, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw Fault($"the memo index at {_position - line.Length - 1} is no number.");
    }

    ReadOnlySpan<byte> Take(long count)
    {
        if (count > data.Length - _position)
            throw Fault($"it needs {count} bytes at {_position}, where {data.Length - _position} are left; it was cut short or is damaged.");
        var bytes = data.AsSpan(_position, (int)count);
        _position += (int)count;
        return bytes;
    }

    ReadOnlySpan<byte> TakeLine(int most)
    {
        var length = data.AsSpan(_position, Math.Min(most, data.Length - _position)).IndexOf((byte)'\n');
        if (length < 0)
            throw Fault($"the line at {_position} does not end within {most} bytes.");
        var line = Take(length);
        Take(1);
        return line;
    }

    string Text(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return StrictUtf8.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            throw Fault($"the text before {_position} is not UTF-8.");
        }
    }

    InvalidDataException Fault(string sentence) => new($"The pickle {path} cannot be read as a list of prompts: {sentence}");
}

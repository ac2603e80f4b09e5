using System.Buffers.Binary;
using System.Numerics;
using static Taba.Diffusion.Weights.Pickle.PickleOpcode;

namespace Taba.Diffusion.Weights.Pickle;

/// <summary>
/// Reads pickles without executing anything: what its rules do not allow is refused by name. Values are strings, <see cref="long"/>,
/// <see cref="BigInteger"/>, <see cref="double"/>, bool, null, object?[] for tuples, List for lists,
/// <see cref="OrderedDictionary{TKey, TValue}"/> with text keys, and what the rules make of globals, calls and persistent ids. The result
/// may share or contain itself; it must not be walked by recursion.
/// </summary>
sealed class PickleReader(byte[] data, int position, PickleRules rules)
{
    readonly PickleBytes _bytes = new(data, position, rules.Fault);
    readonly List<object?> _stack = [];
    readonly Stack<int> _marks = new();
    readonly Dictionary<uint, object?> _memo = [];
    int _values;

    /// <summary>The end of the pickle, behind its STOP.</summary>
    public int Position => _bytes.Position;

    /// <summary>An empty dict.</summary>
    public static OrderedDictionary<string, object?> NewDictionary() => new(StringComparer.Ordinal);

    /// <summary>Reads one pickle.</summary>
    public object? Read()
    {
        while (true)
        {
            var at = Position;
            var opcode = (PickleOpcode)_bytes.TakeByte();
            if (!rules.Opcodes.Contains(opcode))
                throw Refused(opcode, at);
            if (opcode == STOP)
            {
                var result = Pop();
                return _stack.Count == 0 && _marks.Count == 0 ? result : throw rules.Fault("its pickle ends with values left over.");
            }

            if (!TryPushConstant(opcode) && !TryPushText(opcode) && !TryBuildContainer(opcode) && !TryUseMemo(opcode) && !TryConstruct(
                opcode))
                throw Refused(opcode, at);
        }
    }

    Exception Refused(PickleOpcode opcode, int at) => !Enum.IsDefined(opcode)
        ? rules.Fault($"its pickle uses opcode 0x{(byte)opcode:x2} at {at}, which there is not; it is damaged or no pickle.")
        : NamedGlobal(opcode) is { } global
            ? rules.Refused($"names the global '{global}' by opcode 0x{(byte)opcode:x2} at {at}")
            : rules.Refused($"uses opcode 0x{(byte)opcode:x2} at {at} ({opcode})");

    /// <summary>The name that a refused opcode goes on with; null where there is none to be seen.</summary>
    string? NamedGlobal(PickleOpcode opcode)
    {
        if (opcode == STACK_GLOBAL)
            return _stack is [.., string module, string name] ? Printable(module, name) : null;
        if (opcode is not (GLOBAL or INST))
            return null;
        var lines = _bytes.PeekLines();
        return lines.Length > 2 ? Printable(lines[0], lines[1]) : null;
    }

    /// <summary>A hostile name may be long, and play with terminals.</summary>
    static string Printable(string module, string name) => $"{Printable(module)}.{Printable(name)}";

    static string Printable(string text) =>
        string.Concat(
            text.Take(60).Select(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' ? c : '?')) + (text.Length > 60 ? "..." : "");

    bool TryPushConstant(PickleOpcode opcode)
    {
        switch (opcode)
        {
            case PROTO:
                var protocol = _bytes.TakeByte();
                if (protocol < rules.OldestProtocol || protocol > rules.NewestProtocol)
                    throw rules.Fault($"its pickle has protocol {protocol}; {rules.Kind} is read in protocol {rules.Protocols}.");
                return true;
            case FRAME:
                // The frame holds the same stream of opcodes.
                _bytes.TakeLength8();
                return true;
            case NONE:
                Push(null);
                return true;
            case NEWTRUE:
                Push(true);
                return true;
            case NEWFALSE:
                Push(false);
                return true;
            case BININT:
                Push((long)BinaryPrimitives.ReadInt32LittleEndian(_bytes.Take(4)));
                return true;
            case BININT1:
                Push((long)_bytes.TakeByte());
                return true;
            case BININT2:
                Push((long)BinaryPrimitives.ReadUInt16LittleEndian(_bytes.Take(2)));
                return true;
            case BINFLOAT:
                Push(BinaryPrimitives.ReadDoubleBigEndian(_bytes.Take(8)));
                return true;
            case LONG1:
                var integer = new BigInteger(_bytes.Take(_bytes.TakeByte()));
                Push(integer >= long.MinValue && integer <= long.MaxValue ? (object)(long)integer : integer);
                return true;
            default:
                return false;
        }
    }

    bool TryPushText(PickleOpcode opcode)
    {
        switch (opcode)
        {
            case SHORT_BINUNICODE or SHORT_BINSTRING:
                Push(_bytes.TakeText(_bytes.TakeByte()));
                return true;
            case BINUNICODE:
                Push(_bytes.TakeText(_bytes.TakeUInt32()));
                return true;
            case BINUNICODE8:
                Push(_bytes.TakeText(_bytes.TakeLength8()));
                return true;
            case UNICODE:
                Push(RawUnicodeEscape.Decode(_bytes.TakeLine(rules.MaxTextLine)) ?? throw rules.Fault(
                    "its pickle holds text that is no valid Unicode."));
                return true;
            default:
                return false;
        }
    }

    bool TryBuildContainer(PickleOpcode opcode)
    {
        switch (opcode)
        {
            case MARK:
                CountValue();
                _marks.Push(_stack.Count);
                return true;
            case EMPTY_DICT:
                Push(NewDictionary());
                return true;
            case EMPTY_LIST:
                Push(new List<object?>());
                return true;
            case LIST:
                Push(new List<object?>(PopItems()));
                return true;
            case EMPTY_TUPLE:
                Push(Array.Empty<object?>());
                return true;
            case TUPLE:
                Push(PopToMark());
                return true;
            case TUPLE1:
                Push(PopMany(1));
                return true;
            case TUPLE2:
                Push(PopMany(2));
                return true;
            case TUPLE3:
                Push(PopMany(3));
                return true;
            case APPEND:
                var item = Pop();
                rules.CheckItem(item);
                PeekList().Add(item);
                return true;
            case APPENDS:
                var items = PopItems();
                PeekList().AddRange(items);
                return true;
            case SETITEM:
                SetItems(PopMany(2));
                return true;
            case SETITEMS:
                SetItems(PopToMark());
                return true;
            default:
                return false;
        }
    }

    bool TryUseMemo(PickleOpcode opcode)
    {
        switch (opcode)
        {
            case MEMOIZE:
                Remember((uint)_memo.Count);
                return true;
            case BINPUT:
                Remember(_bytes.TakeByte());
                return true;
            case LONG_BINPUT:
                Remember(_bytes.TakeUInt32());
                return true;
            case PUT:
                Remember(_bytes.TakeDecimal());
                return true;
            case BINGET:
                Push(Recall(_bytes.TakeByte()));
                return true;
            case LONG_BINGET:
                Push(Recall(_bytes.TakeUInt32()));
                return true;
            case GET:
                Push(Recall(_bytes.TakeDecimal()));
                return true;
            default:
                return false;
        }
    }

    bool TryConstruct(PickleOpcode opcode)
    {
        switch (opcode)
        {
            case GLOBAL:
                PushGlobal(_bytes.TakeName(), _bytes.TakeName());
                return true;
            case STACK_GLOBAL:
                if (PopMany(2) is not [string module, string name])
                    throw rules.Fault("its pickle names a global by something that is no text.");
                PushGlobal(module, name);
                return true;
            case BINPERSID:
                Push(rules.Persistent(Pop()));
                return true;
            case REDUCE:
                var arguments = Pop() as object?[] ?? throw rules.Fault("its pickle calls something without a tuple of arguments.");
                Push(rules.Call(Pop(), arguments));
                return true;
            case BUILD:
                // The attributes of a state dict (_metadata: versions of modules) say nothing about its tensors.
                if (Pop() is not OrderedDictionary<string, object?> || Peek() is not OrderedDictionary<string, object?>)
                    throw rules.Fault("its pickle sets attributes of something that is no dictionary.");
                return true;
            default:
                return false;
        }
    }

    void PushGlobal(string module, string name) =>
        Push(rules.Global(module, name) ?? throw rules.Refused($"names the global '{Printable(module, name)}'"));

    void SetItems(ReadOnlySpan<object?> keysAndValues)
    {
        if (keysAndValues.Length % 2 != 0)
            throw rules.Fault("its pickle sets a key without a value.");

        var dictionary = PeekDictionary();
        for (var i = 0; i < keysAndValues.Length; i += 2)
        {
            dictionary[rules.Key(keysAndValues[i])] = keysAndValues[i + 1];
        }
    }

    void Remember(uint index)
    {
        CountValue();
        _memo[index] = Peek();
    }

    object? Recall(uint index) =>
        _memo.TryGetValue(index, out var value) ? value : throw rules.Fault($"its pickle recalls value {index}, which it never stored.");

    void Push(object? value)
    {
        CountValue();
        _stack.Add(value);
    }

    void CountValue()
    {
        if (++_values > rules.MaxValues)
            throw rules.Fault($"its pickle makes more than {rules.MaxValues} values.");
    }

    object? Pop()
    {
        RequireAboveMark(1);
        var value = _stack[^1];
        _stack.RemoveAt(_stack.Count - 1);
        return value;
    }

    object?[] PopMany(int count)
    {
        RequireAboveMark(count);
        var values = _stack.GetRange(_stack.Count - count, count).ToArray();
        _stack.RemoveRange(_stack.Count - count, count);
        return values;
    }

    object?[] PopToMark()
    {
        if (!_marks.TryPop(out var mark))
            throw rules.Fault("its pickle ends a sequence that it never began.");
        return PopMany(_stack.Count - mark);
    }

    object?[] PopItems()
    {
        var items = PopToMark();
        Array.ForEach(items, rules.CheckItem);
        return items;
    }

    object? Peek()
    {
        RequireAboveMark(1);
        return _stack[^1];
    }

    List<object?> PeekList() => Peek() as List<object?> ?? throw rules.Fault("its pickle appends to something that is no list.");

    OrderedDictionary<string, object?> PeekDictionary() =>
        Peek() as OrderedDictionary<string, object?> ?? throw rules.Fault("its pickle sets items of something that is no dictionary.");

    void RequireAboveMark(int count)
    {
        if (_stack.Count - (_marks.TryPeek(out var mark) ? mark : 0) < count)
            throw rules.Fault("its pickle takes a value that it never gave.");
    }
}

using System.Buffers.Binary;
using System.Numerics;
using System.Text;

namespace Taba.Diffusion.Weights.Pickle;

/// <summary>
/// Reads the pickles that torch.save writes for state dicts and bare tensors (protocol 2), and nothing else: any other
/// opcode or global is refused by name. Values are strings, <see cref="long"/>, <see cref="BigInteger"/>, bool, null, object?[] for tuples,
/// List for lists, <see cref="OrderedDictionary{TKey, TValue}"/> with text keys, and the types of PickleValues. The result may share or
/// contain itself; it must not be walked by recursion.
/// </summary>
sealed class PickleReader(byte[] data, int position, Func<string, Exception> fault)
{
    /// <summary>A state dict takes about a dozen values a tensor; the limit keeps a bomb within some hundred megabytes.</summary>
    const int MaxValues = 2_000_000;

    static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    readonly List<object?> _stack = [];
    readonly Stack<int> _marks = new();
    readonly Dictionary<uint, object?> _memo = [];
    int _values;

    /// <summary>The place after the pickle's STOP.</summary>
    public int Position { get; private set; } = position;

    /// <summary>Reads one pickle.</summary>
    public object? Read()
    {
        while (true)
        {
            var at = Position;
            var opcode = (PickleOpcode)TakeByte();
            if (opcode == PickleOpcode.Stop)
            {
                var result = Pop();
                return _stack.Count == 0 && _marks.Count == 0 ? result : throw fault("its pickle ends with values left over.");
            }

            if (!TryPushConstant(opcode) && !TryBuildContainer(opcode) && !TryUseMemo(opcode) && !TryConstruct(opcode))
                throw fault($"its pickle uses opcode 0x{(byte)opcode:x2} at {at}, which state dicts do not need; save the plain state dict with torch.save.");
        }
    }

    bool TryPushConstant(PickleOpcode opcode)
    {
        switch (opcode)
        {
            case PickleOpcode.Proto:
                var protocol = TakeByte();
                if (protocol != 2)
                    throw fault($"its pickle has protocol {protocol}; torch.save writes 2 by default.");
                return true;
            case PickleOpcode.None:
                Push(null);
                return true;
            case PickleOpcode.NewTrue:
                Push(true);
                return true;
            case PickleOpcode.NewFalse:
                Push(false);
                return true;
            case PickleOpcode.BinInt:
                Push((long)BinaryPrimitives.ReadInt32LittleEndian(Take(4)));
                return true;
            case PickleOpcode.BinInt1:
                Push((long)TakeByte());
                return true;
            case PickleOpcode.BinInt2:
                Push((long)BinaryPrimitives.ReadUInt16LittleEndian(Take(2)));
                return true;
            case PickleOpcode.Long1:
                var integer = new BigInteger(Take(TakeByte()));
                Push(integer >= long.MinValue && integer <= long.MaxValue ? (object)(long)integer : integer);
                return true;
            case PickleOpcode.BinUnicode:
                Push(TakeText(BinaryPrimitives.ReadUInt32LittleEndian(Take(4))));
                return true;
            case PickleOpcode.ShortBinString:
                Push(TakeText(TakeByte()));
                return true;
            default:
                return false;
        }
    }

    bool TryBuildContainer(PickleOpcode opcode)
    {
        switch (opcode)
        {
            case PickleOpcode.Mark:
                CountValue();
                _marks.Push(_stack.Count);
                return true;
            case PickleOpcode.EmptyDict:
                Push(NewDictionary());
                return true;
            case PickleOpcode.EmptyList:
                Push(new List<object?>());
                return true;
            case PickleOpcode.EmptyTuple:
                Push(Array.Empty<object?>());
                return true;
            case PickleOpcode.Tuple:
                Push(PopToMark());
                return true;
            case PickleOpcode.Tuple1:
                Push(PopMany(1));
                return true;
            case PickleOpcode.Tuple2:
                Push(PopMany(2));
                return true;
            case PickleOpcode.Tuple3:
                Push(PopMany(3));
                return true;
            case PickleOpcode.Append:
                var item = Pop();
                PeekList().Add(item);
                return true;
            case PickleOpcode.Appends:
                var items = PopToMark();
                PeekList().AddRange(items);
                return true;
            case PickleOpcode.SetItem:
                SetItems(PopMany(2));
                return true;
            case PickleOpcode.SetItems:
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
            case PickleOpcode.BinPut:
                Remember(TakeByte());
                return true;
            case PickleOpcode.LongBinPut:
                Remember(BinaryPrimitives.ReadUInt32LittleEndian(Take(4)));
                return true;
            case PickleOpcode.BinGet:
                Push(Recall(TakeByte()));
                return true;
            case PickleOpcode.LongBinGet:
                Push(Recall(BinaryPrimitives.ReadUInt32LittleEndian(Take(4))));
                return true;
            default:
                return false;
        }
    }

    bool TryConstruct(PickleOpcode opcode)
    {
        switch (opcode)
        {
            case PickleOpcode.Global:
                Push(Global(TakeLine(), TakeLine()));
                return true;
            case PickleOpcode.BinPersId:
                Push(TorchObjects.Storage(Pop() as object?[], fault));
                return true;
            case PickleOpcode.Reduce:
                var arguments = Pop() as object?[] ?? throw fault("its pickle calls something without a tuple of arguments.");
                Push(Call(Pop(), arguments));
                return true;
            case PickleOpcode.Build:
                // The attributes of a state dict (_metadata: versions of modules) say nothing about its tensors.
                if (Pop() is not OrderedDictionary<string, object?> || Peek() is not OrderedDictionary<string, object?>)
                    throw fault("its pickle sets attributes of something that is no dictionary.");
                return true;
            default:
                return false;
        }
    }

    object Global(string module, string name) => (module, name) switch
    {
        ("collections", "OrderedDict") => PickleCallable.OrderedDict,
        ("torch._utils", "_rebuild_tensor_v2") => PickleCallable.RebuildTensor,
        ("torch._utils", "_rebuild_parameter") => PickleCallable.RebuildParameter,
        ("torch", _) when ElementTypes.TryFromTorchStorage(name, out var type) => new StorageClass(type.Value),
        _ => throw fault($"its pickle names the global '{module}.{name}', which state dicts do not need; it may be hostile, or a whole model or training state: save the plain state dict."),
    };

    object Call(object? callable, object?[] arguments) => callable switch
    {
        PickleCallable.OrderedDict when arguments.Length == 0 => NewDictionary(),
        PickleCallable.RebuildTensor => TorchObjects.Tensor(arguments, fault),
        PickleCallable.RebuildParameter when arguments is [TensorReference tensor, ..] => tensor,
        _ => throw fault("its pickle calls something with arguments that torch.save does not write."),
    };

    void SetItems(ReadOnlySpan<object?> keysAndValues)
    {
        if (keysAndValues.Length % 2 != 0)
            throw fault("its pickle sets a key without a value.");

        var dictionary = PeekDictionary();
        for (var i = 0; i < keysAndValues.Length; i += 2)
        {
            if (keysAndValues[i] is not string key)
                throw fault("its pickle holds a dictionary whose keys are not text; save the plain state dict.");
            dictionary[key] = keysAndValues[i + 1];
        }
    }

    static OrderedDictionary<string, object?> NewDictionary() => new(StringComparer.Ordinal);

    void Remember(uint index)
    {
        CountValue();
        _memo[index] = Peek();
    }

    object? Recall(uint index) =>
        _memo.TryGetValue(index, out var value) ? value : throw fault($"its pickle recalls value {index}, which it never stored.");

    void Push(object? value)
    {
        CountValue();
        _stack.Add(value);
    }

    void CountValue()
    {
        if (++_values > MaxValues)
            throw fault($"its pickle makes more than {MaxValues} values.");
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
            throw fault("its pickle ends a sequence that it never began.");
        return PopMany(_stack.Count - mark);
    }

    object? Peek()
    {
        RequireAboveMark(1);
        return _stack[^1];
    }

    List<object?> PeekList() => Peek() as List<object?> ?? throw fault("its pickle appends to something that is no list.");

    OrderedDictionary<string, object?> PeekDictionary() =>
        Peek() as OrderedDictionary<string, object?> ?? throw fault("its pickle sets items of something that is no dictionary.");

    void RequireAboveMark(int count)
    {
        if (_stack.Count - (_marks.TryPeek(out var mark) ? mark : 0) < count)
            throw fault("its pickle takes a value that it never gave.");
    }

    byte TakeByte() => Take(1)[0];

    ReadOnlySpan<byte> Take(long count)
    {
        if (count > data.Length - Position)
            throw fault($"its pickle ends in the middle, at {data.Length}.");
        var bytes = data.AsSpan(Position, (int)count);
        Position += (int)count;
        return bytes;
    }

    string TakeText(long count)
    {
        try
        {
            return StrictUtf8.GetString(Take(count));
        }
        catch (DecoderFallbackException)
        {
            throw fault($"its pickle holds text at {Position} that is not UTF-8.");
        }
    }

    string TakeLine()
    {
        const int MaxLine = 256;
        var length = data.AsSpan(Position, Math.Min(MaxLine, data.Length - Position)).IndexOf((byte)'\n');
        if (length < 0)
            throw fault($"its pickle holds a global at {Position} whose name does not end.");
        var line = TakeText(length);
        Take(1);
        return line;
    }
}

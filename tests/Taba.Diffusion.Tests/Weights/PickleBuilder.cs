using System.Text;
using Taba.Diffusion.Weights.Pickle;

namespace Taba.Diffusion.Tests.Weights;

/// <summary>Puts pickles together opcode by opcode, right ones and wrong ones.</summary>
sealed class PickleBuilder
{
    readonly List<byte> _bytes = [];

    public PickleBuilder() => Op(PickleOpcode.PROTO).Raw(2);

    public byte[] ToArray() => [.. _bytes];

    public PickleBuilder Raw(params byte[] bytes)
    {
        _bytes.AddRange(bytes);
        return this;
    }

    public PickleBuilder Op(PickleOpcode opcode) => Raw((byte)opcode);

    public PickleBuilder Text(string text) =>
        Op(PickleOpcode.BINUNICODE).Raw(BitConverter.GetBytes(Encoding.UTF8.GetByteCount(text))).Raw(Encoding.UTF8.GetBytes(text));

    public PickleBuilder Integer(long value) => value is >= int.MinValue and <= int.MaxValue
        ? Op(PickleOpcode.BININT).Raw(BitConverter.GetBytes((int)value))
        : Op(PickleOpcode.LONG1).Raw(8).Raw(BitConverter.GetBytes(value));

    public PickleBuilder Global(string module, string name) => Op(PickleOpcode.GLOBAL).Raw(Encoding.UTF8.GetBytes($"{module}\n{name}\n"));

    public PickleBuilder Integers(IEnumerable<long> values)
    {
        Op(PickleOpcode.MARK);
        foreach (var value in values)
            Integer(value);
        return Op(PickleOpcode.TUPLE);
    }

    /// <summary>A tensor as torch.save describes it.</summary>
    public PickleBuilder Tensor(
        string key, long storageElements, long[] shape, long[] strides, long first = 0, string storage = "FloatStorage",
        bool legacy = false, string? mark = null)
    {
        Global("torch._utils", "_rebuild_tensor_v2").Op(PickleOpcode.MARK);
        Op(PickleOpcode.MARK).Text("storage").Global("torch", storage).Text(key).Text("cpu").Integer(storageElements);
        if (legacy)
            Op(PickleOpcode.NONE);
        Op(PickleOpcode.TUPLE).Op(PickleOpcode.BINPERSID);
        Integer(first).Integers(shape).Integers(strides).Op(PickleOpcode.NEWFALSE);
        Global("collections", "OrderedDict").Op(PickleOpcode.EMPTY_TUPLE).Op(PickleOpcode.REDUCE);
        if (mark is not null)
            Op(PickleOpcode.EMPTY_DICT).Text(mark).Op(PickleOpcode.NEWTRUE).Op(PickleOpcode.SETITEM);
        return Op(PickleOpcode.TUPLE).Op(PickleOpcode.REDUCE);
    }

    public byte[] Stop() => Op(PickleOpcode.STOP).ToArray();
}

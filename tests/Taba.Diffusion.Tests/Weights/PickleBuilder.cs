using System.Text;
using Taba.Diffusion.Weights.Pickle;

namespace Taba.Diffusion.Tests.Weights;

/// <summary>Puts pickles together opcode by opcode, right ones and wrong ones.</summary>
sealed class PickleBuilder
{
    readonly List<byte> _bytes = [];

    public PickleBuilder() => Op(PickleOpcode.Proto).Raw(2);

    public byte[] ToArray() => [.. _bytes];

    public PickleBuilder Raw(params byte[] bytes)
    {
        _bytes.AddRange(bytes);
        return this;
    }

    public PickleBuilder Op(PickleOpcode opcode) => Raw((byte)opcode);

    public PickleBuilder Text(string text) =>
        Op(PickleOpcode.BinUnicode).Raw(BitConverter.GetBytes(Encoding.UTF8.GetByteCount(text))).Raw(Encoding.UTF8.GetBytes(text));

    public PickleBuilder Integer(long value) => value is >= int.MinValue and <= int.MaxValue
        ? Op(PickleOpcode.BinInt).Raw(BitConverter.GetBytes((int)value))
        : Op(PickleOpcode.Long1).Raw(8).Raw(BitConverter.GetBytes(value));

    public PickleBuilder Global(string module, string name) => Op(PickleOpcode.Global).Raw(Encoding.UTF8.GetBytes($"{module}\n{name}\n"));

    public PickleBuilder Integers(IEnumerable<long> values)
    {
        Op(PickleOpcode.Mark);
        foreach (var value in values)
            Integer(value);
        return Op(PickleOpcode.Tuple);
    }

    /// <summary>A tensor as torch.save describes it.</summary>
    public PickleBuilder Tensor(
        string key, long storageElements, long[] shape, long[] strides, long first = 0, string storage = "FloatStorage", bool legacy = false)
    {
        Global("torch._utils", "_rebuild_tensor_v2").Op(PickleOpcode.Mark);
        Op(PickleOpcode.Mark).Text("storage").Global("torch", storage).Text(key).Text("cpu").Integer(storageElements);
        if (legacy)
            Op(PickleOpcode.None);
        Op(PickleOpcode.Tuple).Op(PickleOpcode.BinPersId);
        Integer(first).Integers(shape).Integers(strides).Op(PickleOpcode.NewFalse);
        return Global("collections", "OrderedDict").Op(PickleOpcode.EmptyTuple).Op(PickleOpcode.Reduce)
            .Op(PickleOpcode.Tuple).Op(PickleOpcode.Reduce);
    }

    public byte[] Stop() => Op(PickleOpcode.Stop).ToArray();
}

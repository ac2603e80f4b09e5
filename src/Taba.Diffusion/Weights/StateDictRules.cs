using System.Collections.Frozen;
using Taba.Diffusion.Weights.Pickle;
using static Taba.Diffusion.Weights.Pickle.PickleOpcode;

namespace Taba.Diffusion.Weights;

/// <summary>
/// The pickles that torch.save writes for state dicts and bare tensors (protocol 2, and newer ones when asked), and for training states as
/// far as it takes to say what they are.
/// </summary>
sealed class StateDictRules(Func<string, Exception> fault) : PickleRules(fault)
{
    static readonly FrozenSet<PickleOpcode> s_opcodes = FrozenSet.Create(
        MARK, EMPTY_TUPLE, STOP, BINFLOAT, BININT, BININT1, BININT2, NONE, BINPERSID, REDUCE, SHORT_BINSTRING, BINUNICODE,
        SHORT_BINUNICODE, BINUNICODE8, EMPTY_LIST, APPEND, BUILD, GLOBAL, STACK_GLOBAL, MEMOIZE, FRAME,
        APPENDS, BINGET, LONG_BINGET, BINPUT, LONG_BINPUT, SETITEM, TUPLE, SETITEMS, EMPTY_DICT, PROTO, TUPLE1, TUPLE2, TUPLE3, NEWTRUE,
        NEWFALSE, LONG1);

    readonly Func<string, Exception> _fault = fault;

    public override string Kind => "a state dict";

    public override string Advice => "it may be hostile, or a whole model or training state: save the plain state dict with torch.save";

    public override IReadOnlySet<PickleOpcode> Opcodes => s_opcodes;

    public override int OldestProtocol => 2;

    public override int NewestProtocol => 5;

    /// <summary>A state dict takes about a dozen values a tensor; the limit keeps a bomb within some hundred megabytes.</summary>
    public override int MaxValues => 2_000_000;

    /// <summary>An optimizer's state has numbers for keys.</summary>
    public override string Key(object? key) =>
        key is long number ? number.ToString(System.Globalization.CultureInfo.InvariantCulture) : base.Key(key);

    public override object? Global(string module, string name) => (module, name) switch
    {
        ("collections", "OrderedDict") => PickleCallable.OrderedDict,
        ("torch._utils", "_rebuild_tensor_v2") => PickleCallable.RebuildTensor,
        ("torch._utils", "_rebuild_parameter") => PickleCallable.RebuildParameter,
        ("torch", _) when ElementTypes.TryFromTorchStorage(name, out var type) => new StorageClass(type.Value),
        _ => null,
    };

    public override object Call(object? callable, object?[] arguments) => callable switch
    {
        PickleCallable.OrderedDict when arguments.Length == 0 => PickleReader.NewDictionary(),
        PickleCallable.RebuildTensor => TorchObjects.Tensor(arguments, _fault),
        PickleCallable.RebuildParameter when arguments is [TensorReference tensor, ..] => tensor,
        _ => throw Fault("its pickle calls something with arguments that torch.save does not write."),
    };

    public override object Persistent(object? id) => TorchObjects.Storage(id as object?[], _fault);
}

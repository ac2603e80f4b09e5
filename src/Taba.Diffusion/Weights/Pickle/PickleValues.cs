using static TorchSharp.torch;

namespace Taba.Diffusion.Weights.Pickle;

/// <summary>
/// The globals that a pickle may name. Nothing is ever executed: a global is only a mark that the reader knows how to treat.
/// </summary>
enum PickleCallable
{
    OrderedDict,
    RebuildTensor,
    RebuildParameter,
}

/// <summary>A class torch.*Storage, the type of a storage's elements.</summary>
sealed record StorageClass(ScalarType Type);

/// <summary>A block of elements outside the pickle, by its key.</summary>
sealed record StorageReference(ScalarType Type, string Key, long Elements);

/// <summary>A view of a storage, as the pickle states it; nothing is checked yet.</summary>
sealed record TensorReference(StorageReference Storage, long FirstElement, long[] Shape, long[] Strides);

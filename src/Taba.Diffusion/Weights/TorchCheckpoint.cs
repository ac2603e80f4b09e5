using Taba.Diffusion.Weights.Pickle;

namespace Taba.Diffusion.Weights;

/// <summary>
/// Turns the object of a torch.save file into tensors with their places in the file. The object is a state dict (text to
/// tensor) or one bare tensor, which is called after its file.
/// </summary>
static class TorchCheckpoint
{
    /// <summary>Pickles hold names and shapes, never data; the largest public checkpoints stay below one megabyte.</summary>
    public const int MaxPickleBytes = 32 << 20;

    /// <summary>
    /// Resolves the object; <paramref name="locate"/> says where a storage's bytes begin in the file, and checks their size.
    /// </summary>
    public static IReadOnlyList<StoredTensor> Resolve(SourceFile file, object? root, Func<StorageReference, long> locate)
    {
        switch (root)
        {
            case TensorReference bare:
                return [Place(file, file.Stem, bare, locate)];
            case OrderedDictionary<string, object?> dictionary:
                var tensors = new List<StoredTensor>(dictionary.Count);
                foreach (var (name, value) in dictionary)
                    tensors.Add(Place(file, name, RequireTensor(file, name, value), locate));
                return tensors;
            default:
                throw file.Fault("it holds neither a state dict nor a tensor.");
        }
    }

    static TensorReference RequireTensor(SourceFile file, string name, object? value) => value switch
    {
        TensorReference tensor => tensor,
        OrderedDictionary<string, object?> => throw file.Fault(
            $"its entry '{name}' is a dictionary: this is a training state, not a state dict; save that entry alone with torch.save."),
        _ => throw file.Fault($"its entry '{name}' is not a tensor; save the plain state dict with torch.save."),
    };

    static StoredTensor Place(SourceFile file, string name, TensorReference tensor, Func<StorageReference, long> locate) =>
        StoredTensor.Create(
            file, name, tensor.Storage.Type, tensor.Shape, tensor.Strides, tensor.FirstElement, locate(tensor.Storage),
            tensor.Storage.Elements);
}

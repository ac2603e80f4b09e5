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

    /// <summary>The entry that scripts put a state dict into; where nothing else is beside it, it is what is meant.</summary>
    const string Wrapper = "state_dict";

    /// <summary>Entries that a sentence names at most.</summary>
    const int Named = 4;

    /// <summary>
    /// Resolves the object; <paramref name="locate"/> says where a storage's bytes begin in the file, and checks their size.
    /// </summary>
    public static IReadOnlyList<StoredTensor> Resolve(SourceFile file, object? root, Func<StorageReference, long> locate) =>
        [.. Tensors(file, root).Select(tensor => Place(file, tensor.Name, tensor.Tensor, locate))];

    /// <summary>The tensors of the object, by name.</summary>
    /// <exception cref="WeightsFormatException">It is something else, such as the state of a training.</exception>
    public static IReadOnlyList<(string Name, TensorReference Tensor)> Tensors(SourceFile file, object? root)
    {
        if (root is OrderedDictionary<string, object?> { Count: 1 } wrapper && wrapper.TryGetValue(Wrapper, out var only)
            && only is OrderedDictionary<string, object?> { Count: > 0 } inside && inside.Values.All(value => value is TensorReference))
            root = only;
        switch (root)
        {
            case TensorReference bare:
                return [(file.Stem, bare)];
            case OrderedDictionary<string, object?> dictionary:
                var tensors = dictionary.Where(entry => entry.Value is TensorReference).ToList();
                return tensors.Count == dictionary.Count
                    ? [.. tensors.Select(entry => (entry.Key, (TensorReference)entry.Value!))]
                    : throw NotAStateDict(file, dictionary);
            default:
                throw file.Fault("it holds neither a state dict nor a tensor.");
        }
    }

    /// <summary>Scripts save weights beside numbers, optimizers and averages: which of them to take only the user knows.</summary>
    static WeightsFormatException NotAStateDict(SourceFile file, OrderedDictionary<string, object?> dictionary)
    {
        var inner = dictionary.Where(entry => entry.Value is OrderedDictionary<string, object?> { Count: > 0 } weights
            && weights.Values.All(value => value is TensorReference)).Select(entry => entry.Key).ToList();
        if (inner.Count > 0)
        {
            var entries = $"{(inner.Count == 1 ? "entry" : "entries")} {string.Join(", ", inner.Take(Named).Select(Quoted))} "
                + (inner.Count == 1 ? "holds" : "hold");
            return file.Fault(
                $"it is a training state, and its {entries} weights: save one alone, such as "
                + $"torch.save(torch.load(\"{Path.GetFileName(file.Path)}\")[\"{Shown(inner[^1])}\"], \"weights.pt\").");
        }
        if (dictionary.ContainsKey("param_groups") && dictionary.ContainsKey("state"))
            return file.Fault("it is the state of an optimizer, which holds no weights: give the model's file, which lies beside it.");
        var (name, other) = dictionary.First(entry => entry.Value is not TensorReference);
        return file.Fault(
            $"its entry {Quoted(name)} is {Kind(other)}, not a tensor: save the tensors alone, as a plain state dict, with torch.save.");
    }

    static string Kind(object? value) => value switch
    {
        null => "None",
        bool => "a truth value",
        long or double or System.Numerics.BigInteger => "a number",
        string => "text",
        OrderedDictionary<string, object?> => "a dictionary",
        _ => "a list",
    };

    static string Quoted(string name) => $"'{Shown(name)}'";

    /// <summary>A hostile name may be long, and play with terminals.</summary>
    static string Shown(string name) =>
        string.Concat(name.Take(60).Select(c => char.IsControl(c) || c is '"' or '\'' ? '?' : c)) + (name.Length > 60 ? "..." : "");

    static StoredTensor Place(SourceFile file, string name, TensorReference tensor, Func<StorageReference, long> locate) =>
        StoredTensor.Create(
            file, name, tensor.Storage.Type, tensor.Shape, tensor.Strides, tensor.FirstElement, locate(tensor.Storage),
            tensor.Storage.Elements);
}

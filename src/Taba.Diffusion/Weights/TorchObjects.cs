using Taba.Diffusion.Weights.Pickle;

namespace Taba.Diffusion.Weights;

/// <summary>Gives the tuples of torch.save's pickles their meaning.</summary>
static class TorchObjects
{
    /// <summary>A persistent id: ('storage', class, key, location, elements[, view]).</summary>
    public static StorageReference Storage(object?[]? id, Func<string, Exception> fault) => id switch
    {
        ["storage", StorageClass storage, string key, string, long elements] => New(storage, key, elements, fault),
        ["storage", StorageClass storage, string key, string, long elements, null] => New(storage, key, elements, fault),
        ["storage", StorageClass, string, string, long, object?[]] =>
            throw fault("it holds views of storages, as torch before 0.4 wrote them; save it anew with a newer torch."),
        _ => throw fault("its pickle refers to a storage in a way that torch.save does not."),
    };

    /// <summary>
    /// The arguments of torch._utils._rebuild_tensor_v2: storage, first element, shape, strides, requires_grad, hooks[, metadata].
    /// </summary>
    public static TensorReference Tensor(object?[] arguments, Func<string, Exception> fault)
    {
        if (arguments is
                [StorageReference storage, long firstElement, object?[] shape, object?[] strides,
                    bool, OrderedDictionary<string, object?>, ..]
            && arguments.Length <= 7
            && (arguments.Length < 7 || IsPlain(arguments[6], fault))
            && TryLongs(shape, out var lengths) && TryLongs(strides, out var steps))
        {
            return new TensorReference(storage, firstElement, lengths, steps);
        }

        throw fault("its pickle rebuilds a tensor with arguments that torch.save does not write.");
    }

    /// <summary>
    /// Marks that torch keeps beside the data and that change its values: <c>neg</c>, a minus sign that was not carried out yet (as
    /// <c>z.conj().imag</c> has), and <c>conj</c>.
    /// </summary>
    static bool IsPlain(object? metadata, Func<string, Exception> fault)
    {
        if (metadata is null)
            return true;
        if (metadata is not OrderedDictionary<string, object?> marks)
            return false;
        var set = marks.Where(mark => mark.Value is not false).Select(mark => $"'{mark.Key}'").Take(5).ToList();
        return set.Count == 0
            ? true
            : throw fault(
                $"it holds a tensor with the mark {string.Join(", ", set)}, which changes the values that are stored: save it as "
                + "torch.save(x.resolve_conj().resolve_neg().clone(), ...).");
    }

    static StorageReference New(StorageClass storage, string key, long elements, Func<string, Exception> fault) =>
        elements >= 0 && elements <= long.MaxValue / 8
            ? new StorageReference(storage.Type, key, elements)
            : throw fault($"its storage '{key}' states {elements} elements.");

    static bool TryLongs(object?[] values, out long[] numbers)
    {
        // A tuple may be used many times over: without the limit a short file could ask for much memory.
        numbers = values.Length <= StoredTensor.MaxRank ? new long[values.Length] : [];
        if (numbers.Length < values.Length)
            return false;
        for (var i = 0; i < values.Length; i++)
        {
            if (values[i] is not long number)
                return false;
            numbers[i] = number;
        }

        return true;
    }
}

using System.Buffers.Binary;
using System.Numerics;
using Taba.Diffusion.Weights.Pickle;

namespace Taba.Diffusion.Weights;

/// <summary>
/// Reads torch.save's format before 1.6: pickles of a magic number, a protocol, the system's properties, the object and the
/// list of storage keys, then the storages in that order, each an int64 count of elements and the elements.
/// </summary>
static class TorchLegacyFile
{
    const long Protocol = 1001;
    const int CountBytes = sizeof(long);

    static readonly BigInteger s_magic = BigInteger.Parse("119547037146038801333356");

    /// <summary>The bytes that such a file begins with: PROTO 2, LONG1 of ten bytes.</summary>
    public static ReadOnlySpan<byte> Signature => [0x80, 2, 0x8a, 10];

    public static IReadOnlyList<StoredTensor> Read(SourceFile file)
    {
        var prefix = (int)Math.Min(file.Length, TorchCheckpoint.MaxPickleBytes);
        var bytes = file.ReadBytes(0, prefix, prefix, "the pickles");
        var position = 0;

        if (Next() is not BigInteger magic || magic != s_magic)
            throw file.Fault("its magic number is not that of torch.save.");
        if (Next() is not Protocol)
            throw file.Fault($"its protocol is not {Protocol}, the one that torch.save has written since 2017.");
        if (Next() is not OrderedDictionary<string, object?> system)
            throw file.Fault("its system properties are damaged.");
        if (system.TryGetValue("little_endian", out var little) && little is not true)
            throw file.Fault("it was written on a big-endian machine; only little-endian files are read.");

        var root = Next();
        if (Next() is not List<object?> keys)
            throw file.Fault("its list of storages is damaged.");

        var storages = LocateStorages(file, TorchCheckpoint.Tensors(file, root), keys, position);
        return TorchCheckpoint.Resolve(file, root, storage => storages.TryGetValue(storage.Key, out var found) && found.Storage == storage
            ? found.Offset
            : throw file.Fault($"its storage '{storage.Key}' is missing or described in two ways."));

        object? Next()
        {
            var reader = new PickleReader(bytes, position, new StateDictRules(file.Fault));
            var value = reader.Read();
            position = reader.Position;
            return value;
        }
    }

    static Dictionary<string, (StorageReference Storage, long Offset)> LocateStorages(
        SourceFile file, IReadOnlyList<(string Name, TensorReference Tensor)> tensors, List<object?> keys, long offset)
    {
        // The list of storages does not say their types: those are with the tensors.
        var known = new Dictionary<string, StorageReference>(StringComparer.Ordinal);
        foreach (var (_, tensor) in tensors)
            known.TryAdd(tensor.Storage.Key, tensor.Storage);

        var located = new Dictionary<string, (StorageReference, long)>(StringComparer.Ordinal);
        Span<byte> count = stackalloc byte[CountBytes];
        foreach (var item in keys)
        {
            if (item is not string key || !known.TryGetValue(key, out var storage))
                throw file.Fault($"it lists a storage '{item}' that no tensor uses, so its size is unknown.");

            file.ReadExactly(offset, count, $"the size of storage '{key}'");
            var elements = BinaryPrimitives.ReadInt64LittleEndian(count);
            if (elements != storage.Elements)
                throw file.Fault($"its storage '{key}' holds {elements} elements where the tensors say {storage.Elements}.");

            offset += CountBytes;
            var bytes = elements * ElementTypes.Size(storage.Type);
            if (bytes > file.Length - offset)
                throw file.Fault(
                    $"its storage '{key}' ({bytes} bytes at {offset}) lies outside the file of {file.Length} bytes; it was cut short or "
                    + "is damaged.");
            if (!located.TryAdd(key, (storage, offset)))
                throw file.Fault($"it lists storage '{key}' twice.");
            offset += bytes;
        }

        return located;
    }
}

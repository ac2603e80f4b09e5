using static TorchSharp.torch;

namespace Taba.Diffusion.Weights;

/// <summary>The place of a tensor in a file. <see cref="Create"/> checks everything: no element lies outside its storage.</summary>
/// <param name="Name">As the file spells it; a tensor saved alone is called after its file.</param>
/// <param name="Type">The stored element type.</param>
/// <param name="Shape">Lengths of the axes.</param>
/// <param name="Strides">In elements, not negative.</param>
/// <param name="Offset">Position in the file of the element with index 0, in bytes.</param>
/// <param name="Elements">The product of <paramref name="Shape"/>.</param>
sealed record StoredTensor(string Name, ScalarType Type, long[] Shape, long[] Strides, long Offset, long Elements)
{
    /// <summary>The most axes that libtorch itself allows.</summary>
    public const int MaxRank = 64;

    /// <summary>The most bytes of a tensor that repeats its storage.</summary>
    const long MaxExpandedBytes = 16L << 30;

    public long ByteCount => Elements * ElementTypes.Size(Type);

    /// <summary>The elements lie one after the other, last axis fastest.</summary>
    public bool IsContiguous { get; } = Elements <= 1 || HasRowMajorStrides(Shape, Strides);

    /// <summary>
    /// Checks a tensor against the storage that holds it: <paramref name="storageElements"/> elements, already checked against
    /// the file, from byte <paramref name="storageOffset"/> on. Null strides mean row-major order.
    /// </summary>
    public static StoredTensor Create(
        SourceFile file, string name, ScalarType type, long[] shape, long[]? strides, long firstElement, long storageOffset,
        long storageElements)
    {
        var elements = CountElements(file, name, shape);
        strides ??= RowMajorStrides(shape);
        if (strides.Length != shape.Length)
            throw file.Fault($"tensor '{name}' has {shape.Length} axes but {strides.Length} strides.");
        if (Array.Exists(strides, stride => stride < 0))
            throw file.Fault($"tensor '{name}' has a negative stride [{string.Join(",", strides)}].");
        if (firstElement < 0 || firstElement > storageElements)
            throw file.Fault($"tensor '{name}' begins at element {firstElement} of a storage of {storageElements}.");

        RequireStorage(file, name, shape, strides, elements * ElementTypes.Size(type), storageElements);

        if (elements > 0)
        {
            Int128 last = firstElement;
            for (var axis = 0; axis < shape.Length && last < storageElements; axis++)
                last += (Int128)(shape[axis] - 1) * strides[axis];
            if (last >= storageElements)
                throw file.Fault(
                    $"tensor '{name}' of shape [{string.Join(",", shape)}] and strides [{string.Join(",", strides)}] reaches beyond its "
                    + $"storage of {storageElements} elements.");
        }

        return new StoredTensor(name, type, shape, strides, storageOffset + firstElement * ElementTypes.Size(type), elements);
    }

    /// <summary>
    /// An expanded tensor (stride 0) repeats what its storage has, and a file of a few bytes could ask for any memory; any other axis takes
    /// elements of its own.
    /// </summary>
    static void RequireStorage(SourceFile file, string name, long[] shape, long[] strides, long bytes, long storageElements)
    {
        Int128 own = 1;
        for (var axis = 0; axis < shape.Length; axis++)
            own *= strides[axis] == 0 && shape[axis] > 0 ? 1 : shape[axis];
        if (own > storageElements)
            throw file.Fault(
                $"tensor '{name}' of shape [{string.Join(",", shape)}] has more elements than its storage of {storageElements}.");
        if (bytes > MaxExpandedBytes && Array.Exists(strides, stride => stride == 0))
            throw file.Fault(
                $"tensor '{name}' of shape [{string.Join(",", shape)}] repeats {own} elements to {bytes} bytes; at most "
                + $"{MaxExpandedBytes} are read: save x.contiguous().");
    }

    /// <summary>The product of a shape that is not to be trusted.</summary>
    public static long CountElements(SourceFile file, string name, long[] shape)
    {
        if (shape.Length > MaxRank)
            throw file.Fault($"tensor '{name}' has {shape.Length} axes; at most {MaxRank} are allowed.");

        // Zeros are left out at first: [0, 2^60, 2^60] is as absurd as the same without the zero, and breaks libtorch.
        Int128 product = 1;
        foreach (var length in shape)
        {
            if (length < 0)
                throw file.Fault($"tensor '{name}' has a negative length in its shape [{string.Join(",", shape)}].");
            product *= Math.Max(length, 1);
            if (product > long.MaxValue / 8)
                throw file.Fault($"tensor '{name}' of shape [{string.Join(",", shape)}] has more elements than any file can hold.");
        }

        return Array.IndexOf(shape, 0) >= 0 ? 0 : (long)product;
    }

    /// <summary>The byte after the last one that the tensor reaches.</summary>
    public long EndOffset()
    {
        if (Elements == 0)
            return Offset;
        var last = 0L;
        for (var axis = 0; axis < Shape.Length; axis++)
            last += (Shape[axis] - 1) * Strides[axis];
        return Offset + (last + 1) * ElementTypes.Size(Type);
    }

    public static long[] RowMajorStrides(long[] shape)
    {
        var strides = new long[shape.Length];
        var stride = 1L;
        for (var axis = shape.Length - 1; axis >= 0; axis--)
        {
            strides[axis] = stride;
            stride *= Math.Max(shape[axis], 1);
        }

        return strides;
    }

    static bool HasRowMajorStrides(long[] shape, long[] strides)
    {
        var expected = 1L;
        for (var axis = shape.Length - 1; axis >= 0; axis--)
        {
            if (shape[axis] == 1)
                continue;
            if (strides[axis] != expected)
                return false;
            expected *= shape[axis];
        }

        return true;
    }
}

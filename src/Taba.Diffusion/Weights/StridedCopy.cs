namespace Taba.Diffusion.Weights;

/// <summary>Copies elements of a tensor whose strides are arbitrary into row-major order.</summary>
static unsafe class StridedCopy
{
    /// <param name="origin">The element with index 0.</param>
    /// <param name="shape">Lengths of the axes; no zero among them.</param>
    /// <param name="strides">In elements.</param>
    /// <param name="itemSize">1, 2, 4 or 8 bytes.</param>
    /// <param name="start">Row-major index of the first element to copy.</param>
    /// <param name="destination">As many elements as are copied.</param>
    public static void Gather(byte* origin, long[] shape, long[] strides, int itemSize, long start, Span<byte> destination)
    {
        fixed (byte* target = destination)
        {
            var count = destination.Length / itemSize;
            switch (itemSize)
            {
                case 1:
                    Gather(origin, shape, strides, start, target, count);
                    break;
                case 2:
                    Gather((ushort*)origin, shape, strides, start, (ushort*)target, count);
                    break;
                case 4:
                    Gather((uint*)origin, shape, strides, start, (uint*)target, count);
                    break;
                default:
                    Gather((ulong*)origin, shape, strides, start, (ulong*)target, count);
                    break;
            }
        }
    }

    static void Gather<T>(T* origin, long[] shape, long[] strides, long start, T* target, long count)
        where T : unmanaged
    {
        var rank = shape.Length;
        if (rank == 0)
        {
            if (count > 0)
                *target = *origin;
            return;
        }

        var index = new long[rank];
        for (var (axis, rest) = (rank - 1, start); axis >= 0; axis--)
            (rest, index[axis]) = Math.DivRem(rest, shape[axis]);

        var (innerLength, innerStride) = (shape[^1], strides[^1]);
        while (count > 0)
        {
            var at = 0L;
            for (var axis = 0; axis < rank; axis++)
                at += index[axis] * strides[axis];

            // One run along the last axis, then carry into the axes before it.
            var run = Math.Min(innerLength - index[rank - 1], count);
            for (var i = 0L; i < run; i++)
                target[i] = System.Runtime.CompilerServices.Unsafe.ReadUnaligned<T>(origin + at + i * innerStride);
            target += run;
            count -= run;
            index[rank - 1] += run;
            for (var axis = rank - 1; axis > 0 && index[axis] == shape[axis]; axis--)
            {
                index[axis] = 0;
                index[axis - 1]++;
            }
        }
    }
}

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Taba.Diffusion.Native;
using static TorchSharp.torch;

namespace Taba.Diffusion.Models.Kernels;

/// <summary>
/// softmax(q·kᵀ/√d)·v in each head on the processor, in float32, over queries, keys and values as they lie in memory.
/// </summary>
static unsafe class AttentionKernel
{
    /// <summary>Queries whose scores are held at a time.</summary>
    const int QueryBlock = 64;

    /// <summary>Numbers that one operation takes.</summary>
    const int Lanes = 16;

    /// <summary>True for what <see cref="Forward"/> takes.</summary>
    /// <param name="query">[B,heads,T,d].</param>
    public static bool Takes(Tensor query) =>
        query.dtype == ScalarType.Float32 && query.device_type == TorchSharp.DeviceType.CPU && MatrixProduct.IsAvailable
        && TensorMemory.IsAvailable && Avx512F.IsSupported;

    /// <param name="query">[B,heads,T,d], float32, the last axis without gaps; likewise the others.</param>
    /// <param name="key">[B,heads,S,d].</param>
    /// <param name="value">[B,heads,S,d].</param>
    /// <returns>[B,T,heads·d].</returns>
    public static Tensor Forward(Tensor query, Tensor key, Tensor value)
    {
        var (rows, heads, queries, d, keys) = (query.size(0), query.size(1), query.size(2), query.size(3), key.size(2));
        var result = empty([rows, queries, heads * d], dtype: ScalarType.Float32);
        var work = new Work
        {
            Query = Operand.Of(query), Key = Operand.Of(key), Value = Operand.Of(value), Result = (float*)TensorMemory.Address(result),
            Heads = heads, Queries = queries, Keys = keys, Dimensions = d, Scale = (float)(1 / Math.Sqrt(d)),
        };
        TorchTeam.For(rows * heads, &Run, &work);
        GC.KeepAlive(query);
        GC.KeepAlive(key);
        GC.KeepAlive(value);
        return result;
    }

    [UnmanagedCallersOnly]
    static void Run(long begin, long end, void* context)
    {
        var work = (Work*)context;
        var padded = (work->Keys + Lanes - 1) / Lanes * Lanes;
        var turned = (float*)NativeMemory.AlignedAlloc((nuint)((work->Dimensions + QueryBlock) * padded * sizeof(float)), 64);
        var scores = turned + work->Dimensions * padded;
        var inverses = stackalloc float[QueryBlock];
        for (var piece = begin; piece < end; piece++)
        {
            var (row, head) = (piece / work->Heads, piece % work->Heads);
            Turn(work, row, head, turned, padded);
            var query = work->Query.At(row, head);
            var value = work->Value.At(row, head);
            var width = work->Heads * work->Dimensions;
            var result = work->Result + row * work->Queries * width + head * work->Dimensions;
            for (long first = 0; first < work->Queries; first += QueryBlock)
            {
                var count = Math.Min(QueryBlock, work->Queries - first);
                MatrixProduct.Multiply(
                    count, padded, work->Dimensions, query + first * work->Query.StrideToken, work->Query.StrideToken, turned, padded,
                    scores, padded);
                for (var i = 0; i < count; i++)
                    inverses[i] = Softmax(scores + i * padded, work->Keys, padded);
                var target = result + first * width;
                MatrixProduct.Multiply(
                    count, work->Dimensions, work->Keys, scores, padded, value, work->Value.StrideToken, target, width);
                for (var i = 0; i < count; i++)
                    Scale(target + i * width, work->Dimensions, inverses[i]);
            }
        }
        NativeMemory.AlignedFree(turned);
    }

    /// <summary>The keys of a head, a column each and already scaled; zeros fill up the columns.</summary>
    static void Turn(Work* work, long row, long head, float* turned, long padded)
    {
        var key = work->Key.At(row, head);
        for (long first = 0; first < padded; first += Lanes)
        {
            for (long j = 0; j < work->Dimensions; j++)
            {
                for (var s = first; s < first + Lanes; s++)
                    turned[j * padded + s] = s < work->Keys ? key[s * work->Key.StrideToken + j] * work->Scale : 0;
            }
        }
    }

    /// <summary>Turns scores into e^(score - the largest).</summary>
    /// <returns>1 over their sum.</returns>
    static float Softmax(float* scores, long keys, long padded)
    {
        for (var i = keys; i < padded; i++)
            scores[i] = float.NegativeInfinity;
        var most = Vector512.Load(scores);
        for (long i = Lanes; i < padded; i += Lanes)
            most = Vector512.Max(most, Vector512.Load(scores + i));
        var largest = float.NegativeInfinity;
        for (var i = 0; i < Lanes; i++)
            largest = MathF.Max(largest, most[i]);
        var shift = Vector512.Create(largest);
        Vector512<float> sum = default;
        for (long i = 0; i < padded; i += Lanes)
        {
            var e = VectorMath.Exp(Vector512.Load(scores + i) - shift);
            e.Store(scores + i);
            sum += e;
        }
        return 1 / Vector512.Sum(sum);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void Scale(float* values, long count, float factor)
    {
        long i = 0;
        for (; i + Lanes <= count; i += Lanes)
            (Vector512.Load(values + i) * factor).Store(values + i);
        for (; i < count; i++)
            values[i] *= factor;
    }

    struct Work
    {
        public Operand Query;
        public Operand Key;
        public Operand Value;
        public float* Result;
        public long Heads;
        public long Queries;
        public long Keys;
        public long Dimensions;
        public float Scale;
    }

    /// <summary>[B,heads,T,d] as it lies in memory.</summary>
    struct Operand
    {
        float* _address;
        long _strideRow;
        long _strideHead;

        public long StrideToken { get; private set; }

        public static Operand Of(Tensor tensor) => new()
        {
            _address = (float*)TensorMemory.Address(tensor), _strideRow = tensor.stride(0), _strideHead = tensor.stride(1),
            StrideToken = tensor.stride(2),
        };

        public readonly float* At(long row, long head) => _address + row * _strideRow + head * _strideHead;
    }
}

using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Taba.Diffusion.Native;
using static TorchSharp.torch;

namespace Taba.Diffusion.Models.Kernels;

/// <summary>
/// Layer normalisation without parameters, times 1 + scale, plus shift, in one pass over memory on the processor (adaLN of diffusion
/// transformers).
/// </summary>
static unsafe class LayerNormKernel
{
    const int TokensOfPiece = 16;

    /// <summary>Numbers that one operation takes.</summary>
    const int Lanes = 16;

    /// <summary>True for what <see cref="Forward"/> takes.</summary>
    /// <param name="x">[B,T,C].</param>
    public static bool Takes(Tensor x) =>
        x.dtype is ScalarType.Float32 or ScalarType.BFloat16 && x.size(2) % Lanes == 0 && x.is_contiguous();

    /// <param name="x">[B,T,C], float32 or bfloat16, contiguous; stays as it is.</param>
    /// <param name="eps">Added to the variance.</param>
    /// <param name="shift">[B,1,C], of the type of <paramref name="x"/>, each row without gaps.</param>
    /// <param name="scale">[B,1,C], likewise.</param>
    /// <returns>The shape and type of <paramref name="x"/>.</returns>
    public static Tensor Forward(Tensor x, double eps, Tensor shift, Tensor scale)
    {
        var result = empty_like(x);
        var work = new Work
        {
            X = TensorMemory.Address(x), Y = TensorMemory.Address(result), Shift = TensorMemory.Address(shift),
            Scale = TensorMemory.Address(scale), ShiftStride = shift.stride(0), ScaleStride = scale.stride(0), Tokens = x.size(1),
            Count = x.size(0) * x.size(1), Width = (int)x.size(2), Eps = eps,
        };
        TorchTeam.For(
            (work.Count + TokensOfPiece - 1) / TokensOfPiece, x.dtype == ScalarType.Float32 ? &RunSingle : &RunBrain, &work);
        GC.KeepAlive(x);
        GC.KeepAlive(shift);
        GC.KeepAlive(scale);
        return result;
    }

    [UnmanagedCallersOnly]
    static void RunSingle(long begin, long end, void* context) => Run<SingleElements>(begin, end, (Work*)context);

    [UnmanagedCallersOnly]
    static void RunBrain(long begin, long end, void* context) => Run<BrainElements>(begin, end, (Work*)context);

    static void Run<T>(long begin, long end, Work* work)
        where T : IElements
    {
        for (var token = begin * TokensOfPiece; token < Math.Min(end * TokensOfPiece, work->Count); token++)
            Token<T>(work, token);
    }

    static void Token<T>(Work* work, long token)
        where T : IElements
    {
        var x = (nint)token * work->Width;
        var row = token / work->Tokens;
        var (shift, scale) = ((nint)(row * work->ShiftStride), (nint)(row * work->ScaleStride));

        // Two passes over a few kilobytes, which stay in the nearest cache: the mean first, so that nothing cancels.
        Vector512<float> sum = default;
        for (var c = 0; c < work->Width; c += Lanes)
            sum += T.Load(work->X, x + c);
        var mean = Vector512.Create(Vector512.Sum(sum) / work->Width);
        Vector512<float> squares = default;
        for (var c = 0; c < work->Width; c += Lanes)
        {
            var distance = T.Load(work->X, x + c) - mean;
            squares = Vector512.FusedMultiplyAdd(distance, distance, squares);
        }
        var inverse = Vector512.Create((float)(1 / Math.Sqrt(Vector512.Sum(squares) / (double)work->Width + work->Eps)));
        for (var c = 0; c < work->Width; c += Lanes)
        {
            var normalized = (T.Load(work->X, x + c) - mean) * inverse;
            var factor = Vector512<float>.One + T.Load(work->Scale, scale + c);
            T.Store(Vector512.FusedMultiplyAdd(normalized, factor, T.Load(work->Shift, shift + c)), work->Y, x + c);
        }
    }

    struct Work
    {
        public void* X;
        public void* Y;
        public void* Shift;
        public void* Scale;
        public long ShiftStride;
        public long ScaleStride;
        public long Tokens;
        public long Count;
        public int Width;
        public double Eps;
    }
}

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Taba.Diffusion.Native;
using static TorchSharp.torch;

namespace Taba.Diffusion.Models.Kernels;

/// <summary>What a timestep does to a normalised tensor.</summary>
enum Modulation
{
    None,

    /// <summary>A number a channel is added before the tensor is normalised: [B,C].</summary>
    Add,

    /// <summary>The normalised tensor times 1 + scale, plus shift: [B,2C], the scales first.</summary>
    ScaleShift,
}

/// <summary>
/// Group normalisation, what a timestep does to it, and SiLU, in one pass over memory on the processor. libtorch takes four, and its
/// group normalisation of small maps with the channels innermost is slow.
/// </summary>
/// <remarks>
/// A row's bits depend neither on its neighbours nor on the number of threads: sums of a channel are made by one thread in one order.
/// Sums are float32 over tiles of <see cref="TilePixels"/> pixels and float64 over tiles, around a pivot near the channel's mean.
/// </remarks>
static unsafe class NormKernel
{
    const int TilePixels = 32;

    /// <summary>Numbers that one operation takes.</summary>
    const int Lanes = 16;

    /// <summary>A piece of work has so many channels at least: less would leave cache lines to two threads.</summary>
    const int LeastChannels = 32;

    /// <summary>A piece is read twice: the second time from a core's own cache, if it is no larger.</summary>
    const long NearBytes = 512 << 10;

    /// <summary>Pieces of work a thread.</summary>
    const int Pieces = 4;

    /// <summary>True for widths that <see cref="Forward"/> takes.</summary>
    public static bool Takes(long channels) => channels % Lanes == 0;

    /// <param name="x">[B,C,H,W], float32 or bfloat16, with the channels innermost; stays as it is.</param>
    /// <param name="weight">[C], float32.</param>
    /// <param name="bias">[C], float32.</param>
    /// <param name="groups">A divisor of C.</param>
    /// <param name="eps">Added to the variance.</param>
    /// <param name="modulation">What <paramref name="timestep"/> is.</param>
    /// <param name="timestep">[B,C] or [B,2C], float32, each row without gaps; null when there is no modulation.</param>
    /// <param name="silu">Whether x·sigmoid(x) follows.</param>
    /// <returns>The shape, type and order of <paramref name="x"/>.</returns>
    public static Tensor Forward(
        Tensor x, Tensor weight, Tensor bias, int groups, double eps, Modulation modulation, Tensor? timestep, bool silu)
    {
        var shape = x.shape;
        var result = empty_like(x);
        var (rows, channels) = ((int)shape[0], (int)shape[1]);
        var bytes = shape[2] * shape[3] * channels * x.element_size();
        var parts = 1;
        while ((rows * parts < Pieces * TorchTeam.Size || bytes / parts > NearBytes) && groups % (2 * parts) == 0
            && channels / (2 * parts) >= LeastChannels && channels / (2 * parts) % Lanes == 0)
            parts *= 2;
        var work = new Work
        {
            X = TensorMemory.Address(x), Y = TensorMemory.Address(result),
            Weight = (float*)TensorMemory.Address(weight), Bias = (float*)TensorMemory.Address(bias),
            Timestep = timestep is null ? null : (float*)TensorMemory.Address(timestep),
            TimestepStride = timestep is null ? 0 : timestep.stride(0),
            Pixels = (int)(shape[2] * shape[3]), Channels = channels, Groups = groups, Parts = parts, Eps = eps,
            Modulation = modulation, Silu = silu,
        };
        TorchTeam.For(
            (long)rows * parts, x.dtype == ScalarType.Float32 ? &RunSingle : &RunBrain, &work);
        GC.KeepAlive(x);
        GC.KeepAlive(weight);
        GC.KeepAlive(bias);
        GC.KeepAlive(timestep);
        return result;
    }

    [UnmanagedCallersOnly]
    static void RunSingle(long begin, long end, void* context) => Run<SingleElements>(begin, end, (Work*)context);

    [UnmanagedCallersOnly]
    static void RunBrain(long begin, long end, void* context) => Run<BrainElements>(begin, end, (Work*)context);

    static void Run<T>(long begin, long end, Work* work)
        where T : IElements
    {
        var channels = work->Channels / work->Parts;
        var scratch = (byte*)NativeMemory.AlignedAlloc((nuint)channels * (2 * sizeof(double) + 5 * sizeof(float)), 64);
        for (var piece = begin; piece < end; piece++)
        {
            var (row, part) = ((int)(piece / work->Parts), (int)(piece % work->Parts));
            var first = part * channels;
            var offset = (nint)row * work->Pixels * work->Channels + first;
            var factors = (float*)(scratch + (nint)channels * 2 * sizeof(double));
            var offsets = factors + channels;
            Moments<T>(work, offset, channels, (double*)scratch, offsets + channels);
            Settle(work, row, first, channels, (double*)scratch, offsets + channels, factors, offsets);
            if (work->Silu)
                Apply<T, Activated>(work, offset, channels, factors, offsets);
            else
                Apply<T, Linear>(work, offset, channels, factors, offsets);
        }
        NativeMemory.AlignedFree(scratch);
    }

    /// <summary>Sums of each channel's distances to its pivot, which is its first pixel, and of their squares.</summary>
    static void Moments<T>(Work* work, nint offset, int channels, double* sums, float* scratch)
        where T : IElements
    {
        var pivots = scratch;
        for (var c = 0; c < channels; c += Lanes)
            T.Load(work->X, offset + c).Store(pivots + c);
        new Span<double>(sums, 2 * channels).Clear();
        for (var tile = 0; tile < work->Pixels; tile += TilePixels)
        {
            var pixels = Math.Min(TilePixels, work->Pixels - tile);
            var start = offset + (nint)tile * work->Channels;
            for (var c = 0; c < channels; c += Lanes)
            {
                var pivot = Vector512.Load(pivots + c);
                Vector512<float> sum = default, square = default;
                var at = start + c;
                for (var p = 0; p < pixels; p++, at += work->Channels)
                {
                    var x = T.Load(work->X, at) - pivot;
                    sum += x;
                    square = Vector512.FusedMultiplyAdd(x, x, square);
                }
                Add(sums + c, sum);
                Add(sums + channels + c, square);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void Add(double* sums, Vector512<float> tile)
    {
        var (low, high) = Vector512.Widen(tile);
        (Vector512.Load(sums) + low).Store(sums);
        (Vector512.Load(sums + Lanes / 2) + high).Store(sums + Lanes / 2);
    }

    /// <summary>What each channel is multiplied by, and what is added then.</summary>
    static void Settle(Work* work, int row, int first, int channels, double* sums, float* pivots, float* factors, float* offsets)
    {
        var size = work->Channels / work->Groups;
        var timestep = work->Timestep + row * work->TimestepStride + first;
        double pixels = work->Pixels;
        for (var group = 0; group < channels; group += size)
        {
            double mean = 0, square = 0;
            for (var c = group; c < group + size; c++)
            {
                var near = sums[c] / pixels;
                var own = pivots[c] + near + (work->Modulation == Modulation.Add ? timestep[c] : 0);
                mean += own;
                // Mean of squares around the channel's mean; around the group's below.
                square += sums[channels + c] / pixels - near * near;
                sums[c] = own;
            }
            mean /= size;
            for (var c = group; c < group + size; c++)
                square += (sums[c] - mean) * (sums[c] - mean);
            var inverse = 1 / Math.Sqrt(Math.Max(square / size, 0) + work->Eps);
            for (var c = group; c < group + size; c++)
            {
                var factor = work->Weight[first + c] * inverse;
                var offset = work->Bias[first + c] - mean * factor;
                if (work->Modulation == Modulation.Add)
                {
                    offset += timestep[c] * factor;
                }
                else if (work->Modulation == Modulation.ScaleShift)
                {
                    var scale = 1.0 + timestep[c];
                    factor *= scale;
                    offset = offset * scale + timestep[work->Channels + c];
                }
                factors[c] = (float)factor;
                offsets[c] = (float)offset;
            }
        }
    }

    static void Apply<T, TActivation>(Work* work, nint offset, int channels, float* factors, float* offsets)
        where T : IElements
        where TActivation : IActivation
    {
        for (var p = 0; p < work->Pixels; p++, offset += work->Channels)
        {
            for (var c = 0; c < channels; c += Lanes)
            {
                var y = Vector512.FusedMultiplyAdd(T.Load(work->X, offset + c), Vector512.Load(factors + c), Vector512.Load(offsets + c));
                T.Store(TActivation.Of(y), work->Y, offset + c);
            }
        }
    }

    interface IActivation
    {
        static abstract Vector512<float> Of(Vector512<float> x);
    }

    struct Linear : IActivation
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector512<float> Of(Vector512<float> x) => x;
    }

    struct Activated : IActivation
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector512<float> Of(Vector512<float> x) => VectorMath.Silu(x);
    }

    struct Work
    {
        public void* X;
        public void* Y;
        public float* Weight;
        public float* Bias;
        public float* Timestep;
        public long TimestepStride;
        public int Pixels;
        public int Channels;
        public int Groups;
        public int Parts;
        public double Eps;
        public Modulation Modulation;
        public bool Silu;
    }
}

using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using TorchSharp;
using static TorchSharp.torch;

namespace Taba.Diffusion.Native;

/// <summary>
/// Convolutions by oneDNN with weights that are in its own order already. libtorch reorders weights in every call, which costs a batch
/// of one up to three quarters of a convolution's time. TorchSharp does not have these operations; they are called by libtorch's C
/// interface, which its makers keep stable.
/// </summary>
/// <remarks>Tensors of TorchSharp and of the C interface are the same: pointers to a tensor of C++, which either may delete.</remarks>
static unsafe class OneDnn
{
    static readonly Lazy<Functions?> s_functions = new(Functions.Find);

    /// <summary>False where libtorch was built without oneDNN, or without its C interface, or where oneDNN is wrong.</summary>
    public static bool IsAvailable => s_functions.Value is not null;

    /// <summary>
    /// True for types in which it packs weights on this processor: float32, and bfloat16 with AVX-512. float16 is slow on every processor.
    /// </summary>
    public static bool Packs(ScalarType type) =>
        type == ScalarType.Float32
        || (type == ScalarType.BFloat16 && Avx512BW.VL.IsSupported && Avx512DQ.VL.IsSupported);

    /// <summary>The weights of a convolution in the order that oneDNN wants on this processor for an input of some size.</summary>
    /// <param name="weight">[Out,In,K,K], float32 or bfloat16, on the processor; stays as it is.</param>
    /// <param name="stride">Along both axes.</param>
    /// <param name="padding">Zeros on each side.</param>
    /// <param name="input">B, In, H and W.</param>
    /// <returns>A tensor that only <see cref="Convolve"/> can read.</returns>
    public static Tensor Pack(Tensor weight, long stride, long padding, ReadOnlySpan<long> input)
    {
        var functions = Get();
        nint owned;
        Check(functions.NewTensorHandle(weight.Handle, &owned));
        // The arguments of the operation's schema, of which a call takes possession. One that may be absent is an address, which libtorch
        // frees as C++ does, and so as C does.
        var size = (ulong*)NativeMemory.Alloc(sizeof(ulong));
        *size = functions.List(input);
        var stack = stackalloc ulong[]
        {
            (ulong)owned, functions.List([padding, padding]), functions.List([stride, stride]), functions.List([1, 1]), 1, (ulong)size,
        };
        fixed (byte* name = "mkldnn::_reorder_convolution_weight"u8, overload = "\0"u8)
            Check(functions.CallDispatcher(name, overload, stack));
        GC.KeepAlive(weight);
        return Tensor.UnsafeCreateTensor((nint)stack[0]);
    }

    /// <summary>Convolves.</summary>
    /// <param name="x">[B,In,H,W], with the channels innermost.</param>
    /// <param name="packed">Of <see cref="Pack"/>, with the same stride and padding.</param>
    /// <param name="bias">[Out].</param>
    /// <param name="stride">Along both axes.</param>
    /// <param name="padding">Zeros on each side.</param>
    /// <param name="geluTanh">Whether GELU by its tanh approximation follows, while the results are in registers.</param>
    /// <returns>[B,Out,H',W'], with the channels innermost.</returns>
    public static Tensor Convolve(Tensor x, Tensor packed, Tensor? bias, long stride, long padding, bool geluTanh = false)
    {
        var functions = Get();
        var pad = stackalloc long[] { padding, padding };
        var step = stackalloc long[] { stride, stride };
        var dilation = stackalloc long[] { 1, 1 };
        var biasHandle = bias?.Handle ?? 0;
        nint result;
        fixed (byte* none = "none\0"u8, gelu = "gelu\0"u8, tanh = "tanh\0"u8)
        {
            var algorithm = tanh;
            Check(functions.Convolve(
                x.Handle, packed.Handle, bias is null ? null : &biasHandle, pad, 2, step, 2, dilation, 2, 1, geluTanh ? gelu : none, null,
                0, geluTanh ? &algorithm : null, &result));
        }
        GC.KeepAlive(x);
        GC.KeepAlive(packed);
        GC.KeepAlive(bias);
        return Tensor.UnsafeCreateTensor(result);
    }

    static Functions Get() => s_functions.Value ?? throw new NotSupportedException("This libtorch has no oneDNN.");

    /// <summary>libtorch keeps the words of an error to itself; it prints them where its log is on.</summary>
    static void Check(int error)
    {
        if (error != 0)
            throw new InvalidOperationException("oneDNN refused a convolution.");
    }

    sealed class Functions
    {
        static readonly string[] s_names =
        [
            "aoti_torch_call_dispatcher", "aoti_torch_new_tensor_handle", "torch_new_list_reserve_size", "torch_list_push_back",
            "aoti_torch_cpu_mkldnn__convolution_pointwise",
        ];

        public required delegate* unmanaged<byte*, byte*, ulong*, int> CallDispatcher { get; init; }

        public required delegate* unmanaged<nint, nint*, int> NewTensorHandle { get; init; }

        public required delegate* unmanaged<nuint, nint*, int> NewList { get; init; }

        public required delegate* unmanaged<nint, ulong, int> PushBack { get; init; }

        public required delegate* unmanaged<nint, nint, nint*, long*, long, long*, long, long*, long, long, byte*, double**, long, byte**,
            nint*, int> Convolve
        { get; init; }

        public static Functions? Find()
        {
            if (!OperatingSystem.IsLinux() || !TorchRuntime.TryLoad("libtorch_cpu.so", out var library)
                || !HiddenCaches.LetOneDnnKnow())
                return null;
            nint[] found = [.. s_names.Select(name => NativeLibrary.TryGetExport(library, name, out var address) ? address : 0)];
            return found.Contains(0)
                ? null
                : new()
                {
                    CallDispatcher = (delegate* unmanaged<byte*, byte*, ulong*, int>)found[0],
                    NewTensorHandle = (delegate* unmanaged<nint, nint*, int>)found[1],
                    NewList = (delegate* unmanaged<nuint, nint*, int>)found[2],
                    PushBack = (delegate* unmanaged<nint, ulong, int>)found[3],
                    Convolve = (delegate* unmanaged<nint, nint, nint*, long*, long, long*, long, long*, long, long, byte*, double**, long,
                        byte**, nint*, int>)found[4],
                };
        }

        public ulong List(ReadOnlySpan<long> values)
        {
            nint list;
            Check(NewList((nuint)values.Length, &list));
            foreach (var value in values)
                Check(PushBack(list, (ulong)value));
            return (ulong)list;
        }
    }
}

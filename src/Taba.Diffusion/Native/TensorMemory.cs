using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Taba.Diffusion.Native;

/// <summary>Where a tensor's numbers lie, for own kernels.</summary>
static unsafe class TensorMemory
{
    static readonly Lazy<nint> s_getDataPtr = new(static () =>
        OperatingSystem.IsLinux() && TorchRuntime.TryLoad("libtorch_cpu.so", out var library)
        && NativeLibrary.TryGetExport(library, "aoti_torch_get_data_ptr", out var address)
            ? address
            : 0);

    /// <summary>False where libtorch was built without its C interface.</summary>
    public static bool IsAvailable => s_getDataPtr.Value != 0;

    /// <summary>The address of a tensor's first number; valid while the tensor is.</summary>
    /// <param name="tensor">On the processor.</param>
    public static void* Address(Tensor tensor)
    {
        void* address;
        if (((delegate* unmanaged<nint, void**, int>)s_getDataPtr.Value)(tensor.Handle, &address) != 0)
            throw new InvalidOperationException("libtorch does not tell where a tensor lies.");
        return address;
    }
}

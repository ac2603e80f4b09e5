using TorchSharp;
using static TorchSharp.torch;

namespace Taba.Diffusion.Native;

/// <summary>The arithmetic of float32 networks on a GPU.</summary>
static class CudaArithmetic
{
    /// <summary>
    /// Products and convolutions of float32 may use TF32, which has ten bits of mantissa, as in upstream's scripts. libtorch allows it to
    /// convolutions by itself, and to products not. A switch of the process; NVIDIA_TF32_OVERRIDE=0 in the environment wins.
    /// </summary>
    /// <param name="device">Where a network lies; on a processor nothing changes.</param>
    public static void AllowTf32(Device device)
    {
        if (device.type != DeviceType.CUDA)
            return;
        backends.cuda.matmul.allow_tf32 = true;
        backends.cudnn.allow_tf32 = true;
    }
}

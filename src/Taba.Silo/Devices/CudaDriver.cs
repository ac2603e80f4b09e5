using System.Runtime.InteropServices;

namespace Taba.Silo.Devices;

/// <summary>Facts about a GPU that TorchSharp does not tell, from the driver's own library.</summary>
static unsafe class CudaDriver
{
    static readonly string[] s_names = ["libcuda.so.1", "nvcuda.dll"];

    /// <summary>
    /// Bytes of the memory of device number <paramref name="index"/>, as this process counts them; 0 when the driver does not say.
    /// </summary>
    public static long TotalMemory(int index)
    {
        foreach (var name in s_names)
        {
            if (NativeLibrary.TryLoad(name, out var driver))
                return TotalMemory(driver, index);
        }
        return 0;
    }

    static long TotalMemory(nint driver, int index)
    {
        if (!NativeLibrary.TryGetExport(driver, "cuInit", out var init)
            || !NativeLibrary.TryGetExport(driver, "cuDeviceGet", out var get)
            || !NativeLibrary.TryGetExport(driver, "cuDeviceTotalMem_v2", out var total))
        {
            return 0;
        }
        int device;
        nuint bytes;
        return ((delegate* unmanaged<uint, int>)init)(0) == 0
            && ((delegate* unmanaged<int*, int, int>)get)(&device, index) == 0
            && ((delegate* unmanaged<nuint*, int, int>)total)(&bytes, device) == 0
            ? (long)bytes
            : 0;
    }
}

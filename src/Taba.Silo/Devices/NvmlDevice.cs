using System.Runtime.InteropServices;

namespace Taba.Silo.Devices;

/// <summary>
/// What NVIDIA's management library says of a GPU. The device is found by its bus address, because CUDA numbers those that the process may
/// see, and this library all that there are. (NVML API reference, nvmlDeviceGetMemoryInfo, nvmlDeviceGetUtilizationRates.)
/// </summary>
sealed unsafe class NvmlDevice
{
    const int BusIdLength = 32;
    static readonly string[] s_management = ["libnvidia-ml.so.1", "nvml.dll"];
    static readonly string[] s_driver = ["libcuda.so.1", "nvcuda.dll"];

    readonly nint _handle;
    readonly delegate* unmanaged<nint, MemoryInfo*, int> _memory;
    readonly delegate* unmanaged<nint, UtilizationInfo*, int> _utilization;

    NvmlDevice(nint handle, nint memory, nint utilization)
    {
        _handle = handle;
        _memory = (delegate* unmanaged<nint, MemoryInfo*, int>)memory;
        _utilization = (delegate* unmanaged<nint, UtilizationInfo*, int>)utilization;
    }

    /// <summary>Bytes of the device's memory; null when the library does not say.</summary>
    public (long Total, long Used)? Memory
    {
        get
        {
            MemoryInfo info;
            return _memory(_handle, &info) == 0 ? ((long)info.Total, (long)info.Used) : null;
        }
    }

    /// <summary>The share of the last sampling period in which a kernel ran, 0 to 1; null when the library does not say.</summary>
    public double? Utilization
    {
        get
        {
            UtilizationInfo info;
            return _utilization(_handle, &info) == 0 ? info.Gpu / 100.0 : null;
        }
    }

    /// <param name="index">The device's number as CUDA counts.</param>
    /// <returns>Null where the library is not, or does not know the device.</returns>
    public static NvmlDevice? Find(int index)
    {
        if (Load(s_driver) is not { } driver || Load(s_management) is not { } nvml
            || !NativeLibrary.TryGetExport(driver, "cuInit", out var cuInit)
            || !NativeLibrary.TryGetExport(driver, "cuDeviceGetPCIBusId", out var busId)
            || !NativeLibrary.TryGetExport(nvml, "nvmlInit_v2", out var init)
            || !NativeLibrary.TryGetExport(nvml, "nvmlDeviceGetHandleByPciBusId_v2", out var byBusId)
            || !NativeLibrary.TryGetExport(nvml, "nvmlDeviceGetMemoryInfo", out var memory)
            || !NativeLibrary.TryGetExport(nvml, "nvmlDeviceGetUtilizationRates", out var utilization))
        {
            return null;
        }
        var address = stackalloc byte[BusIdLength];
        nint handle;
        return ((delegate* unmanaged<uint, int>)cuInit)(0) == 0
            && ((delegate* unmanaged<byte*, int, int, int>)busId)(address, BusIdLength, index) == 0
            && ((delegate* unmanaged<int>)init)() == 0
            && ((delegate* unmanaged<byte*, nint*, int>)byBusId)(address, &handle) == 0
            ? new(handle, memory, utilization)
            : null;
    }

    static nint? Load(string[] names)
    {
        foreach (var name in names)
        {
            if (NativeLibrary.TryLoad(name, out var library))
                return library;
        }
        return null;
    }

    [StructLayout(LayoutKind.Sequential)]
    struct MemoryInfo
    {
        public ulong Total;
        public ulong Free;
        public ulong Used;
    }

    [StructLayout(LayoutKind.Sequential)]
    struct UtilizationInfo
    {
        public uint Gpu;
        public uint Memory;
    }
}

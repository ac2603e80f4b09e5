using Taba.Diffusion.Metrics.Pictures;
using Taba.Silo.Devices;
using static TorchSharp.torch;

namespace Taba.Silo.Outputs;

/// <summary>Options of run folders: format, metrics, and facts for their manifests.</summary>
public sealed record RunFolderOptions
{
    public TensorFormat Format { get; init; } = TensorFormat.Safetensors;

    public bool WithMetrics { get; init; } = true;

    /// <summary>The content of <c>_params</c>; null derives it from the run.</summary>
    public IReadOnlyDictionary<string, string>? Parameters { get; init; }

    /// <summary>The kind of device, for the manifest.</summary>
    public string Device { get; init; } = "cpu";

    /// <summary>Where networks run that measure pictures: a device of that kind, where this machine has one, else the processor.</summary>
    internal PicturePass Pass
    {
        get
        {
            var isCuda = Device == "cuda" && cuda.is_available();
            var device = new DeviceChoice(isCuda ? CUDA : CPU, isCuda ? "cuda" : "cpu");
            return new(device.Device, device.DefaultBatchSize);
        }
    }
}

using Taba.Diffusion.Models;
using Taba.Silo.Devices;
using Taba.Silo.Engines;
using static TorchSharp.torch;

namespace Taba.Silo.Tests.Hosting;

/// <summary>Networks that fail on some device as a test says, and compute as they should elsewhere.</summary>
sealed class FaultyNetworks : INetworks
{
    readonly Networks _sound = new(Microsoft.Extensions.Options.Options.Create(new EngineSettings()));

    /// <summary>Called before a network is loaded on a device; it may throw.</summary>
    public Action<string>? BeforeLoad { get; set; }

    /// <summary>Called on the engine's thread before each forward pass on a device; it may throw, or not return.</summary>
    public Action<string>? BeforePass { get; set; }

    public IDenoiser Load(ModelDefinition definition, StageSpec spec, DeviceChoice device)
    {
        BeforeLoad?.Invoke(device.Name);
        return new Network(this, device.Name, _sound.Load(definition, spec, device));
    }

    sealed class Network(FaultyNetworks all, string device, IDenoiser sound) : IDenoiser
    {
        public StateShape Shape => sound.Shape;

        public Device Device => sound.Device;

        public int? ClassCount => sound.ClassCount;

        public Tensor PredictEps(Tensor xt, Tensor timesteps, Tensor? conditions)
        {
            all.BeforePass?.Invoke(device);
            return sound.PredictEps(xt, timesteps, conditions);
        }

        public void Dispose() => sound.Dispose();
    }
}

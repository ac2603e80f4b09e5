using Microsoft.Extensions.Options;
using Taba.Diffusion;
using Taba.Diffusion.Models;
using Taba.Silo.Devices;
using static TorchSharp.torch;

namespace Taba.Silo.Engines;

/// <summary>Puts networks on devices, for engines.</summary>
interface INetworks
{
    /// <summary>Loads the network of a stage; takes as long as reading its weights does. The caller disposes it.</summary>
    /// <exception cref="Exception">The weights cannot be read, or do not fit the device.</exception>
    IDenoiser Load(ModelDefinition definition, StageSpec spec, DeviceChoice device);
}

/// <summary>
/// Shares of one processor have one memory, and a network does not change while it predicts: it is loaded for the first of them, and goes
/// with the last.
/// </summary>
sealed class Networks(IOptions<EngineSettings> settings) : INetworks
{
    readonly Lock _gate = new();
    readonly Dictionary<string, Shared> _shared = [];

    public IDenoiser Load(ModelDefinition definition, StageSpec spec, DeviceChoice device)
    {
        var dtype = spec.Precision.Network.ToScalarType();
        if (device.Shares == 1)
            return definition.Load(spec.Model.WeightsPath, device.Device, dtype, settings.Value.Network);
        var key = $"{spec.Model.Digest} {spec.Model.Shape} {spec.Precision.Network}";
        Shared? shared;
        lock (_gate)
        {
            if (!_shared.TryGetValue(key, out shared))
                _shared.Add(key, shared = new(() => definition.Load(spec.Model.WeightsPath, device.Device, dtype, settings.Value.Network)));
            shared.Users++;
        }
        try
        {
            // Who comes second waits for the first.
            return new Borrowed(shared.Network.Value, () => Release(key, shared));
        }
        catch
        {
            Release(key, shared);
            throw;
        }
    }

    void Release(string key, Shared shared)
    {
        lock (_gate)
        {
            if (--shared.Users > 0)
                return;
            _shared.Remove(key);
        }
        // One that could not be loaded is not there.
        if (shared.Network.IsValueCreated)
            shared.Network.Value.Dispose();
    }

    sealed class Shared(Func<IDenoiser> load)
    {
        public Lazy<IDenoiser> Network { get; } = new(load);

        public int Users { get; set; }
    }

    sealed class Borrowed(IDenoiser network, Action release) : IDenoiser
    {
        Action? _release = release;

        public StateShape Shape => network.Shape;

        public Device Device => network.Device;

        public int? ClassCount => network.ClassCount;

        public long? NullClass => network.NullClass;

        public TextShape? Text => network.Text;

        public ScalarType TextType => network.TextType;

        public Tensor PredictEps(Tensor xt, Tensor timesteps, Tensor? conditions) => network.PredictEps(xt, timesteps, conditions);

        public void Dispose() => Interlocked.Exchange(ref _release, null)?.Invoke();
    }
}

using System.Collections.Concurrent;
using Taba.Diffusion.Engine;
using Taba.Silo.Devices;

namespace Taba.Silo.Engines;

/// <summary>What engines and autoencoders of one device share, so that one of them computes at a time.</summary>
sealed class DevicesInTurn
{
    readonly ConcurrentDictionary<string, DeviceTurns> _byName = new();

    public DeviceTurns Of(DeviceChoice device) => _byName.GetOrAdd(device.Name, _ => new DeviceTurns());
}

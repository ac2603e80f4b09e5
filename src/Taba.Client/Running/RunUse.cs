using System.Globalization;
using Taba.Grains.Words;
using Taba.Silo.Engines;

namespace Taba.Client.Running;

/// <summary>What a run took of this machine.</summary>
/// <param name="Devices">Those that evaluated anything.</param>
/// <param name="Writing">From the last published row to the last file of folders and report.</param>
sealed record RunUse(IReadOnlyList<DeviceUse> Devices, TimeSpan Writing)
{
    /// <summary>More devices than these are told together.</summary>
    const int MostDevices = 8;

    /// <summary>A sentence for each device, and one for the files.</summary>
    public IEnumerable<string> Sentences()
    {
        foreach (var use in Devices.Count <= MostDevices ? Devices : [Together()])
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"{use.Device}: {Quantities.Count(use.Evaluations)} evaluations in {Quantities.Duration(use.Window)}, "
                + $"busy with networks for {use.BusyShare:P0} of that; {(use.Loads == 1 ? "one model" : $"{use.Loads:0} models")} loaded.");
        yield return $"Folders and report took {Quantities.Duration(Writing)} after the last row.";
    }

    DeviceUse Together() => new(
        $"{Devices.Count} devices", Devices.Sum(d => d.Evaluations), Devices.Max(d => d.Window),
        TimeSpan.FromSeconds(Devices.Average(d => d.BusyShare) * Devices.Max(d => d.Window).TotalSeconds), Devices.Sum(d => d.Loads));

    /// <summary>The same for the last line of JSON.</summary>
    public IEnumerable<object> Json() => Devices.Select(use => new
    {
        device = use.Device,
        evaluations = use.Evaluations,
        seconds = use.Window.TotalSeconds,
        busy = use.BusyShare,
        busy_seconds = use.Busy.TotalSeconds,
        model_loads = use.Loads,
    });
}

namespace Taba.Silo.Engines;

/// <summary>What a device did for a command, from its first evaluation to its last.</summary>
/// <param name="Device">Its name.</param>
/// <param name="Evaluations">Rows that went through networks, padding not counted.</param>
/// <param name="Window">From the begin of the first forward pass to the end of the last.</param>
/// <param name="Busy">The part of it that networks and autoencoders took.</param>
/// <param name="Loads">Times that a network was loaded.</param>
public sealed record DeviceUse(string Device, long Evaluations, TimeSpan Window, TimeSpan Busy, int Loads)
{
    /// <summary>Busy time in the window, 0 to 1.</summary>
    public double BusyShare => Window > TimeSpan.Zero ? Math.Min(1, Busy / Window) : 0;
}

using System.Text.Json.Serialization;

namespace Taba.Silo.Web.Json;

/// <summary>A silo, as it said last.</summary>
/// <param name="ReportAge">Seconds since then.</param>
/// <param name="StoreFreeBytes">Null when the store is no folder, or nobody says.</param>
/// <param name="Troubles">What is wrong with it, in sentences.</param>
sealed record SiloView(
    string Name, string Address, string Host, string Role, string DeviceKind, string? Build, int? Numerics, double SecondsUp,
    double ReportAge, bool Draining, long? StoreFreeBytes, long? ScratchFreeBytes, long CheckpointQueueBytes,
    IReadOnlyList<string> Troubles, int PartsHeld, IReadOnlyList<DeviceView> Devices);

/// <summary>A device.</summary>
/// <param name="State">What most of its time went to of late.</param>
/// <param name="Fill">Rows of a pass over the most that it may have; null when there was no pass.</param>
/// <param name="IdleReason">Why it idles, as a sentence; null when it does not.</param>
sealed record DeviceView(
    string Name, bool Works, string State, SharesView Share, IReadOnlyList<string> Models, double? Fill, int Slots, int SlotsInUse,
    long? MemoryUsed, long? MemoryLimit, double EvaluationsPerSecond, string? IdleReason);

/// <summary>What a device did with its time, as shares of 1. The names are those of <c>taba.engine.time</c>.</summary>
sealed record SharesView(
    double Network, double Overhead, [property: JsonPropertyName("output_wait")] double OutputWait, double Linger, double Loading,
    double Idle);

/// <summary>Ten minutes of a device, or of all together.</summary>
/// <param name="From">When the first step began.</param>
/// <param name="States">The names of the first numbers of a point.</param>
/// <param name="Points">Shares by state, and last the fill, null when there was no pass.</param>
sealed record HistoryView(
    double StepSeconds, DateTimeOffset From, IReadOnlyList<string> States, IReadOnlyList<IReadOnlyList<double?>> Points);

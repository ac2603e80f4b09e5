using Orleans.Concurrency;

namespace Taba.Grains.Silos;

/// <summary>
/// How the silos of this cluster fare: the newest report of each, and ten minutes of each device. There is one such grain, with key 0. It
/// writes nothing; who wants to look needs no other place that remembers.
/// </summary>
[Alias("taba.IFleetGrain")]
public interface IFleetGrain : IGrainWithIntegerKey
{
    /// <summary>A silo says how it fares, every two seconds. Idempotent; what is older than what was heard is left aside.</summary>
    [Alias("Report")]
    Task ReportAsync(SiloFare fare);

    /// <summary>How they fare, a page of them.</summary>
    [ForClients, AlwaysInterleave, Alias("Get")]
    ValueTask<FleetView> GetAsync(FleetAsk ask);
}

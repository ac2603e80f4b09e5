using System.Collections.Immutable;

namespace Taba.Grains.Silos;

/// <summary>A question for how silos fare.</summary>
/// <param name="From">The number of the first silo, by name.</param>
/// <param name="Count">At most so many silos, 0 to <see cref="FleetView.MostSilos"/>.</param>
[GenerateSerializer, Immutable, Alias("taba.FleetAsk")]
public readonly record struct FleetAsk(int From, int Count)
{
    /// <summary>A device whose ten minutes are wanted too, as SILO/NAME; null for none.</summary>
    [Id(10)] public string? Device { get; init; }
}

/// <summary>How silos fare. Its size follows the question, not the fleet.</summary>
/// <param name="Total">Silos that reported within ten minutes.</param>
/// <param name="From">The number of the first here.</param>
/// <param name="Silos">Some of them, by name.</param>
/// <param name="All">Ten minutes of all devices together.</param>
[GenerateSerializer, Immutable, Alias("taba.FleetView")]
public sealed record FleetView(int Total, int From, ImmutableArray<SiloStanding> Silos, FareHistory All)
{
    /// <summary>The most silos of one answer: with eight devices each, that all say why they idle, it stays below 200 KB.</summary>
    public const int MostSilos = 40;

    /// <summary>Ten minutes of the device that was asked for; null when nobody asked, or there is none.</summary>
    [Id(10)] public FareHistory? Device { get; init; }

    /// <summary>Devices of silos that reported just now and do not drain, that take work.</summary>
    [Id(11)] public int DevicesWorking { get; init; }
}

/// <summary>A silo's last report, and what follows from its reports.</summary>
/// <param name="Fare">The report.</param>
/// <param name="Age">How long ago it came: two seconds at most while all is well.</param>
/// <param name="Devices">In the order of the report.</param>
[GenerateSerializer, Immutable, Alias("taba.SiloStanding")]
public sealed record SiloStanding(SiloFare Fare, TimeSpan Age, ImmutableArray<DeviceStanding> Devices);

/// <summary>How a device stands.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Last">The last ten to twenty seconds.</param>
/// <param name="EvaluationsPerSecond">In the same time.</param>
/// <param name="Idle">Why it idles; null when it does not.</param>
/// <param name="IdleReason">The same as a sentence.</param>
[GenerateSerializer, Immutable, Alias("taba.DeviceStanding")]
public sealed record DeviceStanding(string Name, FarePoint Last, double EvaluationsPerSecond, IdleKind? Idle, string? IdleReason);

/// <summary>Ten minutes, in equal steps, the oldest first. The last step is under way.</summary>
/// <param name="From">When the first step began.</param>
/// <param name="Step">How long each is.</param>
[GenerateSerializer, Immutable, Alias("taba.FareHistory")]
public sealed record FareHistory(DateTimeOffset From, TimeSpan Step, ImmutableArray<FarePoint> Points);

/// <summary>What a device did with a step's time, as shares of 1, or several together.</summary>
/// <param name="Network">Forward passes.</param>
/// <param name="Overhead">The engine's own work.</param>
/// <param name="OutputWait">Waiting for those who take results.</param>
/// <param name="Linger">Waiting for more rows of a pass.</param>
/// <param name="Loading">Loading models.</param>
/// <param name="Idle">The rest.</param>
/// <param name="Fill">Rows of a pass over the most that it may have; null when there was no pass.</param>
/// <param name="Seconds">Seconds of devices that were told of; 0 when nothing is known, and all shares are 0.</param>
[GenerateSerializer, Immutable, Alias("taba.FarePoint")]
public readonly record struct FarePoint(
    float Network, float Overhead, float OutputWait, float Linger, float Loading, float Idle, float? Fill, float Seconds)
{
    /// <summary>
    /// What most of the time went to, by the names of <c>taba.engine.time</c>: network, overhead, output_wait, linger, loading, idle.
    /// </summary>
    public string State
    {
        get
        {
            (string Name, float Share)[] all =
            [
                ("idle", Idle), ("network", Network), ("overhead", Overhead), ("output_wait", OutputWait), ("linger", Linger),
                ("loading", Loading),
            ];
            return all.MaxBy(s => s.Share).Name;
        }
    }
}

/// <summary>Why a device idles.</summary>
public enum IdleKind
{
    /// <summary>It hangs or is broken.</summary>
    Broken,

    /// <summary>Its silo drains.</summary>
    Drains,

    /// <summary>It loads a model.</summary>
    Loads,

    /// <summary>What it computed is not taken as fast.</summary>
    OutputWait,

    /// <summary>Its host failed and is asked again later.</summary>
    Paused,

    /// <summary>Its silo cannot serve a model.</summary>
    Refuses,

    /// <summary>No sweep lives.</summary>
    NoWork,

    /// <summary>The sweeps that live are paused.</summary>
    SweepsPaused,

    /// <summary>All that is left is out with others, or waits for input rows.</summary>
    InputsMissing,

    /// <summary>Its silo has parts, which are prepared or published.</summary>
    BetweenParts,

    /// <summary>There is work, and it has not reached it yet.</summary>
    HandedOut,
}

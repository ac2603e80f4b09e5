using System.Collections.Immutable;

namespace Taba.Grains.Silos;

/// <summary>How a silo fares, as it says every two seconds. Counters begin with the silo.</summary>
/// <param name="Silo">The silo.</param>
/// <param name="Host">The name of its machine.</param>
/// <param name="Uptime">How long it has run. It tells which of two reports of one silo is newer.</param>
/// <param name="Devices">Its devices; a coordinator has none.</param>
[GenerateSerializer, Immutable, Alias("taba.SiloFare")]
public sealed record SiloFare(SiloInfo Silo, string Host, TimeSpan Uptime, ImmutableArray<DeviceFare> Devices)
{
    /// <summary>The most refusals that a report has.</summary>
    public const int MostRefusals = 4;

    /// <summary>It takes no more parts, and ends, or waits for its command.</summary>
    [Id(10)] public bool Draining { get; init; }

    /// <summary>Models, or stages of another version, that it cannot serve now; the first few.</summary>
    [Id(11)] public ImmutableArray<RefusedHere> Refusals { get => field.IsDefault ? [] : field; init; } = [];

    /// <summary>Bytes that may still be written where the tensors are; null when that is no folder, or its disk does not answer.</summary>
    [Id(12)] public long? StoreFree { get; init; }

    /// <summary>The same for the folder of this silo alone, where what is not finished lies.</summary>
    [Id(13)] public long? ScratchFree { get; init; }

    /// <summary>Bytes of checkpoints that wait for the disk.</summary>
    [Id(14)] public long CheckpointQueue { get; init; }

    /// <summary>How long the oldest of them has waited; zero when none does.</summary>
    [Id(15)] public TimeSpan CheckpointAge { get; init; }

    /// <summary>Parts that it has leased.</summary>
    [Id(16)] public int PartsHeld { get; init; }
}

/// <summary>What a silo cannot serve now.</summary>
/// <param name="Model">The model's name where the silo knows it, else the digest, or the key of one stage.</param>
/// <param name="Reason">Why, in words.</param>
[GenerateSerializer, Immutable, Alias("taba.RefusedHere")]
public readonly record struct RefusedHere(string Model, string Reason);

/// <summary>How a device fares.</summary>
/// <param name="Name">Its name on its silo: cpu, cpu:1, cuda:0.</param>
/// <param name="Works">False once it hangs or is broken: it takes no more work.</param>
/// <param name="Times">What its time went to.</param>
[GenerateSerializer, Immutable, Alias("taba.DeviceFare")]
public sealed record DeviceFare(string Name, bool Works, DeviceTimes Times)
{
    /// <summary>Why it does not work; null when it does.</summary>
    [Id(10)] public string? Trouble { get; init; }

    /// <summary>Models that are on it, or on their way.</summary>
    [Id(11)] public ImmutableArray<ModelFare> Models { get => field.IsDefault ? [] : field; init; } = [];

    /// <summary>Trajectories that its engines run at once.</summary>
    [Id(12)] public int Slots { get; init; }

    [Id(13)] public int SlotsInUse { get; init; }

    /// <summary>Trajectories that wait for a slot.</summary>
    [Id(14)] public int Pending { get; init; }

    /// <summary>The most rows of a forward pass at present; 0 while no engine is there.</summary>
    [Id(15)] public int BatchLimit { get; init; }

    /// <summary>Rows that went through the network, padding not counted.</summary>
    [Id(16)] public long Evaluations { get; init; }

    /// <summary>Turns of its engines with a forward pass.</summary>
    [Id(17)] public long Passes { get; init; }

    /// <summary>Bytes of its memory that are taken, by whomever; null when nobody says.</summary>
    [Id(18)] public long? MemoryUsed { get; init; }

    /// <summary>Bytes of its memory; null when nobody says.</summary>
    [Id(19)] public long? MemoryLimit { get; init; }
}

/// <summary>A model on a device.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Loading">It is on its way.</param>
[GenerateSerializer, Immutable, Alias("taba.ModelFare")]
public readonly record struct ModelFare(string Name, bool Loading);

/// <summary>
/// What the time of a device went to since its silo began, in seconds, by the states of <c>taba.engine.time</c>, and loading. The rest is
/// idle. A pass or a load that is under way counts as far as it is.
/// </summary>
/// <param name="Network">Forward passes, of autoencoders too.</param>
/// <param name="Overhead">Choosing, gathering, updating, handing over.</param>
/// <param name="OutputWait">Waiting for those who take results: in the end, the disk.</param>
/// <param name="Linger">Waiting for more rows of a pass.</param>
/// <param name="Loading">Loading models.</param>
[GenerateSerializer, Immutable, Alias("taba.DeviceTimes")]
public readonly record struct DeviceTimes(double Network, double Overhead, double OutputWait, double Linger, double Loading);

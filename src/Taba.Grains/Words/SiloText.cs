using Taba.Grains.Silos;

namespace Taba.Grains.Words;

/// <summary>Silos and their devices in words.</summary>
public static class SiloText
{
    /// <summary>The most rows of a forward pass of its devices' engines; where none is loaded, those with which one would begin.</summary>
    public static int Batch(SiloInfo silo, SiloStanding? fare) =>
        fare?.Fare.Devices.Select(d => d.BatchLimit).DefaultIfEmpty(0).Max() is > 0 and var rows ? rows : silo.BatchSize;

    /// <summary>Less room than this is worth a word.</summary>
    public const long LittleRoom = 1L << 30;

    static readonly TimeSpan s_saysWithin = TimeSpan.FromSeconds(10);
    static readonly TimeSpan s_checkpointsWithin = TimeSpan.FromMinutes(1);

    /// <summary>Sentences on what is wrong with a silo; none when nothing is.</summary>
    public static IEnumerable<string> Troubles(SiloStanding silo)
    {
        var fare = silo.Fare;
        if (silo.Age > s_saysWithin)
            yield return $"It has said nothing for {Quantities.Duration(silo.Age)}.";
        if (fare.Draining)
            yield return "It drains: it takes no more parts.";
        foreach (var device in fare.Devices.Where(d => !d.Works))
            yield return $"{device.Name} takes no more work: {Sentences.Bare(device.Trouble ?? "it hangs or is broken")}.";
        foreach (var refusal in fare.Refusals)
            yield return $"It cannot serve {refusal.Model}: {Sentences.Bare(refusal.Reason)}.";
        if (fare.StoreFree is < LittleRoom and var store)
            yield return $"The disk of its store has {Quantities.Bytes(store)} left.";
        if (fare.ScratchFree is < LittleRoom and var scratch)
            yield return $"The disk of its scratch files has {Quantities.Bytes(scratch)} left.";
        if (fare.CheckpointAge > s_checkpointsWithin)
        {
            yield return $"Checkpoints wait for the disk: {Quantities.Bytes(fare.CheckpointQueue)}, the oldest for "
                + $"{Quantities.Duration(fare.CheckpointAge)}.";
        }
    }

    /// <summary>Why devices of a silo idle, those that only have no work included: a line each.</summary>
    public static IEnumerable<string> Idle(SiloStanding silo) => silo.Devices
        .Where(d => d.IdleReason is not null && d.Idle is not (IdleKind.Broken or IdleKind.Drains))
        .Select(d => $"{d.Name} idles. {d.IdleReason}");

    /// <summary>What the time of a device went to of late: <c>93 % network</c>.</summary>
    public static string Busy(FarePoint last) => last.Seconds <= 0
        ? "unknown"
        : FormattableString.Invariant($"{100 * (last.Network + last.Overhead):0} %");
}

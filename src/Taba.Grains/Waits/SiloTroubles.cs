using System.Globalization;
using Taba.Grains.Silos;

namespace Taba.Grains.Waits;

/// <summary>What is wrong with a silo, in sentences. Pure, so that the page and the command say the same.</summary>
public static class SiloTroubles
{
    /// <summary>Reports come every two seconds.</summary>
    static readonly TimeSpan s_late = TimeSpan.FromSeconds(10);

    /// <summary>A checkpoint is a few MiB: a disk that takes them at all takes one in less.</summary>
    static readonly TimeSpan s_slowDisk = TimeSpan.FromSeconds(30);

    const long NearlyFull = 1L << 30;
    const long Full = 64L << 20;
    const long Mebibyte = 1L << 20;

    /// <returns>None while all is well.</returns>
    public static IEnumerable<string> Of(SiloStanding silo)
    {
        var fare = silo.Fare;
        if (silo.Age > s_late)
            yield return $"It has not reported for {Times.Text(silo.Age)}: it is gone, hangs, or is out of reach.";
        if (Disk("store", fare.StoreFree) is { } store)
            yield return store;
        if (Disk("scratch", fare.ScratchFree) is { } scratch)
            yield return scratch;
        if (fare.CheckpointAge > s_slowDisk)
            yield return $"Checkpoints have waited for the disk for {Times.Text(fare.CheckpointAge)}: it is slow, full, or away.";
        foreach (var refusal in fare.Refusals)
            yield return $"It cannot serve {refusal.Model}: {refusal.Reason.TrimEnd('.', ' ', '\n')}.";
    }

    static string? Disk(string what, long? free) => free switch
    {
        < Full => $"Its {what} disk is full: {Mebibytes(free.Value)} are free.",
        < NearlyFull => $"Its {what} disk is nearly full: {Mebibytes(free.Value)} are free.",
        _ => null,
    };

    static string Mebibytes(long bytes) => (bytes / Mebibyte).ToString(CultureInfo.InvariantCulture) + " MiB";
}

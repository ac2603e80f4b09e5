using Taba.Grains.Dispatch;
using Taba.Grains.Silos;
using Taba.Grains.Words;

namespace Taba.Grains.Waits;

/// <summary>Why a device idles, in a sentence. Pure; what is not known is not said.</summary>
public static class Idling
{
    /// <summary>A device that spends so much of its time on passes, and what belongs to them, does not idle.</summary>
    const float Busy = 0.5f;

    /// <param name="silo">Its silo's report.</param>
    /// <param name="device">The device.</param>
    /// <param name="last">What it did of late.</param>
    /// <param name="work">What the dispatcher knows; null when it did not answer.</param>
    /// <param name="worker">The silo's worker there; null when it has not asked.</param>
    /// <returns>Null when it does not idle.</returns>
    public static (IdleKind Kind, string Text)? Of(
        SiloFare silo, DeviceFare device, FarePoint last, DispatchStanding? work, WorkerStanding? worker)
    {
        if (!device.Works)
            return (IdleKind.Broken, $"{device.Name} takes no more work: {Sentences.Bare(device.Trouble ?? "it hangs or is broken")}.");
        if (last.Network + last.Overhead + last.Linger >= Busy)
            return null;
        if (silo.Draining)
            return (IdleKind.Drains, "Its silo drains: it takes no more parts.");
        if (device.Models.FirstOrDefault(m => m.Loading) is { Name: not null } model)
            return (IdleKind.Loads, $"It loads the model {model.Name}.");
        if (last.OutputWait > last.Idle)
        {
            return (IdleKind.OutputWait,
                "Results are not taken as fast as it computes them: it waits for the disk, or for its silo's processor.");
        }
        return OfHost(silo, work, worker) ?? OfWork(silo, device, work)
            ?? (IdleKind.HandedOut, "There is work: rows are being handed out.");
    }

    static (IdleKind Kind, string Text)? OfHost(SiloFare silo, DispatchStanding? work, WorkerStanding? worker)
    {
        if (work is { SweepsLive: 0 })
            return null;
        if (worker is { Pauses: [var pause, ..] })
        {
            var again = pause.Rest == TimeSpan.MaxValue ? "when the sweep is submitted again" : $"in {Times.Text(pause.Rest)}";
            return (IdleKind.Paused, $"Its host failed at {pause.Stage} and is asked again {again}: {Sentences.Bare(pause.Reason)}.");
        }
        return silo.Refusals is [var refusal, ..]
            ? (IdleKind.Refuses, $"Its silo cannot serve {refusal.Model}, and asks for nothing of it: {Sentences.Bare(refusal.Reason)}.")
            : null;
    }

    static (IdleKind Kind, string Text)? OfWork(SiloFare silo, DeviceFare device, DispatchStanding? work)
    {
        // Where there are several devices, the parts may be another one's.
        if (silo.PartsHeld > 0 && (silo.Devices.Length == 1 || device.SlotsInUse + device.Pending > 0))
            return (IdleKind.BetweenParts, $"Its silo prepares or publishes {Parts(silo.PartsHeld)}.");
        return work switch
        {
            null => (IdleKind.BetweenParts, "It has nothing to do; the dispatcher does not say why."),
            { SweepsLive: 0 } => (IdleKind.NoWork, "There is no work: no sweep lives."),
            _ when work.SweepsLive == work.SweepsPaused => (IdleKind.SweepsPaused, work.SweepsLive == 1
                ? "The sweep that lives is paused."
                : $"All {work.SweepsLive} sweeps that live are paused."),
            { RowsReady: 0 } => (IdleKind.InputsMissing,
                "All that is left to compute is out with workers, or waits for its input rows."),
            _ => null,
        };
    }

    static string Parts(int count) => count == 1 ? "a part" : $"{count} parts";
}

using System.Collections.Immutable;
using Microsoft.Extensions.Options;
using Taba.Grains.Dispatch;
using Taba.Grains.Stages;
using Taba.Silo.Models;

namespace Taba.Silo.Workers;

/// <summary>Asks the dispatcher for parts while there is room.</summary>
sealed class PartPuller(
    IGrainFactory grains, ILocalSiloDetails silo, SiloFacts facts, WorkerRoom room, HeldParts held, ModelPauses pauses,
    IOptions<WorkerSettings> settings)
{
    long _number;

    /// <summary>Whether another part fits.</summary>
    public bool HasRoom => room.HasAny;

    /// <summary>Leases for this silo, as soon as there are some; none when nothing came in time.</summary>
    /// <param name="patience">How long to wait for some.</param>
    public Task<ImmutableArray<PartLease>> PullAsync(TimeSpan patience) =>
        Dispatcher.AskAsync(Ask(room.Rows, room.AutoencoderParts) with
        {
            Fresh = held.Fresh,
            Loaded = room.Loaded,
            Refused = pauses.Now,
            Patience = patience,
            SwitchAfter = settings.Value.SwitchAfter,
            Held = held.Rows,
            Host = facts.Name,
        });

    /// <summary>Takes the last question back: it is answered with nothing, at once.</summary>
    public Task LeaveAsync() => Dispatcher.AskAsync(Ask(0, 0));

    WorkAsk Ask(int rows, int autoencoderParts) =>
        new(silo.SiloAddress.ToParsableString(), Interlocked.Increment(ref _number), rows, autoencoderParts);

    IDispatcherGrain Dispatcher => grains.GetGrain<IDispatcherGrain>(0);
}

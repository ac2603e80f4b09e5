using System.Collections.Immutable;
using Orleans.Concurrency;
using Taba.Grains.Stages;
using Taba.Grains.Sweeps;

namespace Taba.Grains.Dispatch;

/// <summary>
/// Brings workers and work together: stages and the index tell it what changes, and a worker with room asks it, and nobody else, for parts.
/// There is one such grain, with key 0. It writes nothing: what it knows is told again every few seconds.
/// </summary>
[Alias("taba.IDispatcherGrain")]
public interface IDispatcherGrain : IGrainWithIntegerKey
{
    /// <summary>
    /// Parts for a worker that has room for some. When there are none now it waits for them, as long as the worker likes.
    /// </summary>
    /// <returns>Leased parts, which the worker starts; none when the time is over, or when the worker asked again meanwhile.</returns>
    [Alias("Ask")]
    Task<ImmutableArray<PartLease>> AskAsync(WorkAsk ask);

    /// <summary>What a stage has to do now. It comes whenever that changes, and every few seconds. Idempotent.</summary>
    [Alias("Offer")]
    Task OfferAsync(StageOffer offer);

    /// <summary>The sweeps that live now, in the order of their submission. Idempotent.</summary>
    [Alias("Sweeps")]
    Task SetSweepsAsync(ImmutableArray<SweepEntry> live);

    /// <summary>What is known of some sweeps and workers: what is ready, who waits, and who goes first.</summary>
    [ForClients, AlwaysInterleave, Alias("Standing")]
    ValueTask<DispatchStanding> GetStandingAsync(StandingAsk ask);
}

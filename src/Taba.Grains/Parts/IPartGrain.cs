using Orleans.Concurrency;
using Taba.Grains.Faults;
using Taba.Grains.Stages;

namespace Taba.Grains.Parts;

/// <summary>The samples of one part while they are in flight. The key is <c>stage/row</c>.</summary>
[Alias("taba.IPartGrain")]
public interface IPartGrain : IGrainWithStringKey
{
    /// <summary>Begins and returns at once. Idempotent for one attempt; a newer attempt replaces an older one.</summary>
    /// <returns>
    /// False when nothing begins: a newer attempt was here, or another of the same epoch, or the activation of an earlier one is still on
    /// another silo and goes now. The caller asks again, and in the end gives the part back.
    /// </returns>
    [Alias("Start")]
    Task<bool> StartAsync(PartLease lease);

    /// <summary>
    /// A sample reached its last step, or failed. Idempotent. It interleaves because a part that stops waits for its
    /// trajectories, and one of them may be waiting here.
    /// </summary>
    [AlwaysInterleave, Alias("SampleEnded")]
    Task SampleEndedAsync(PartAttempt attempt, int sample, SampleFailure? failure);

    /// <summary>The lease is lost or the silo leaves: stops the samples, deletes what the attempt wrote. Idempotent.</summary>
    [Alias("Stop")]
    Task StopAsync(PartAttempt attempt);

    /// <summary>
    /// Ends an attempt that cannot go on for no fault of its samples. They stop, their files go, and the stage gets the part back.
    /// Idempotent.
    /// </summary>
    [Alias("Abandon")]
    Task AbandonAsync(PartAttempt attempt, Fault fault);

    [AlwaysInterleave, Alias("Status")]
    ValueTask<PartStatus> GetStatusAsync();
}

/// <summary>The progress of a part.</summary>
[GenerateSerializer, Immutable, Alias("taba.PartStatus")]
public sealed record PartStatus(PartAttempt? Attempt, int SamplesRunning, int SamplesEnded);

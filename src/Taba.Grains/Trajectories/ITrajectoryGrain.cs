using Orleans.Concurrency;
using Taba.Grains.Models;
using Taba.Grains.Stages;

namespace Taba.Grains.Trajectories;

/// <summary>One sample's way through the steps of a stage. The key is <c>stage/sample</c>.</summary>
[Alias("taba.ITrajectoryGrain")]
public interface ITrajectoryGrain : IGrainWithStringKey
{
    /// <summary>Begins, or goes on at a checkpoint. Idempotent for one attempt; a newer attempt replaces an older one.</summary>
    /// <returns>False when the sample belongs to a newer attempt, or to another of the same epoch.</returns>
    [Alias("Start")]
    Task<bool> StartAsync(TrajectoryOrder order);

    /// <summary>A segment ended on the device. Stale attempts are ignored.</summary>
    [Alias("SegmentEnded")]
    Task SegmentEndedAsync(PartAttempt attempt, int nextStep, bool completed);

    /// <summary>The sample cannot go on.</summary>
    [Alias("Failed")]
    Task FailedAsync(PartAttempt attempt, int step, FailureKind kind, string reason);

    /// <summary>Gives the slot up. Idempotent.</summary>
    [Alias("Stop")]
    Task StopAsync(PartAttempt attempt);

    [AlwaysInterleave, Alias("Status")]
    ValueTask<TrajectoryStatus> GetStatusAsync();
}

/// <summary>The order to a trajectory.</summary>
/// <param name="Model">The engine on this silo.</param>
/// <param name="FirstStep">The first step to execute.</param>
/// <param name="TotalSteps">T.</param>
[GenerateSerializer, Immutable, Alias("taba.TrajectoryOrder")]
public sealed record TrajectoryOrder(PartAttempt Attempt, int Sample, ModelAddress Model, int FirstStep, int TotalSteps)
{
    public static string Key(string stageKey, int sample) => $"{stageKey}/{sample}";
}

/// <summary>The progress of a trajectory.</summary>
[GenerateSerializer, Immutable, Alias("taba.TrajectoryStatus")]
public sealed record TrajectoryStatus(int Sample, int NextStep, int TotalSteps, bool Running);

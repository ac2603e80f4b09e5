using Taba.Grains.Sweeps;

namespace Taba.Client.Running;

/// <summary>A sweep to be run, and where it goes.</summary>
sealed record RunJob
{
    public required SweepSpec Spec { get; init; }

    /// <summary>The store's folder.</summary>
    public required string StoreRoot { get; init; }

    /// <summary>The folder of the report; run folders lie below it, unless the output is flat.</summary>
    public required string Folder { get; init; }

    /// <summary>What the user typed: the command that goes on.</summary>
    public required string CommandLine { get; init; }

    /// <summary>The family that the command names; null for a sweep file.</summary>
    public string? Family { get; init; }

    /// <summary>The cluster that computes; null for this process.</summary>
    public string? Cluster { get; init; }

    /// <summary>Submit, and leave the rest to the cluster.</summary>
    public bool Detach { get; init; }

    public bool Json { get; init; }

    public bool Verbose { get; init; }

    public string FolderOf(PlannedRun run) => Spec.FlatOutput ? Folder : Path.Combine(Folder, run.Slug);
}

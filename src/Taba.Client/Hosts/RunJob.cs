using Taba.Storage.RunFolders;
using Taba.Grains.Sweeps;
using Taba.Silo.Outputs;

namespace Taba.Client.Hosts;

/// <summary>A sweep to be run, and where it goes.</summary>
sealed record RunJob
{
    public required SweepSpec Spec { get; init; }

    /// <summary>The store's folder.</summary>
    public required string StoreRoot { get; init; }

    /// <summary>The folder of the report, or blob:PREFIX; run folders lie below it, unless the output is flat.</summary>
    public required string Folder { get; init; }

    /// <summary>The command as the user typed it: given again, it goes on.</summary>
    public required string CommandLine { get; init; }

    /// <summary>The family that the command names; null for a sweep file.</summary>
    public string? Family { get; init; }

    /// <summary>The cluster that computes; null for this process.</summary>
    public string? Cluster { get; init; }

    /// <summary>Submit, and leave the rest to the cluster.</summary>
    public bool Detach { get; init; }

    /// <summary>Another command that works in the same store is not waited for.</summary>
    public bool NoWait { get; init; }

    /// <summary>The port on which this process shows the run; 0 for a free one, null for none.</summary>
    public int? DashboardPort { get; init; }

    /// <summary>Say what would run, and start nothing.</summary>
    public bool DryRun { get; init; }

    public bool Json { get; init; }

    public bool Verbose { get; init; }

    /// <summary>The folder of a run.</summary>
    /// <param name="output">The output that <see cref="Folder"/> names.</param>
    public OutputFolder FolderOf(PlannedRun run, OutputFolder output) => Spec.FlatOutput ? output : output.Below(run.Slug);
}

using Taba.Storage.RunFolders;
using Taba.Client.Clusters;
using Taba.Client.Hosts;
using Taba.Client.Planning;
using Taba.Client.Running;
using Taba.Grains;
using Taba.Silo.Outputs;
using Taba.Storage.Objects;

namespace Taba.Client.Commands;

/// <summary>The services that commands work with.</summary>
/// <param name="Host">The system that computes when no cluster is named.</param>
/// <param name="CommandLine">What the user typed.</param>
sealed record CommandServices(Terminal Terminal, IRunHost Host, string CommandLine)
{
    /// <summary>Runs a job in this process or on the cluster that it names.</summary>
    /// <exception cref="BadInputException">This process may not have enough files open, or as <see cref="OnHostAsync"/>.</exception>
    public Task<int> RunAsync(RunJob job, CancellationToken interrupted) => job switch
    {
        { DryRun: true } => PlanAsync(job, interrupted),
        _ when OpenFiles.Lack(OpenFiles.ToCompute, OpenFiles.Most) is { } lack => throw new BadInputException(lack),
        _ => OnHostAsync(job, host => new SweepRunner(host, Terminal).RunAsync(job, interrupted), interrupted),
    };

    /// <summary>Says what a job would run.</summary>
    public Task<int> PlanAsync(RunJob job, CancellationToken interrupted) => OnHostAsync(
        job,
        async host =>
        {
            var outline = host.Outline(job.Spec, job.StoreRoot);
            SweepRunner.RefuseOtherFamily(job, outline.Plan);
            foreach (var warning in PlanWarnings.Of(outline.Plan, job.Spec))
                Terminal.Say(warning);
            var estimate = await PlanEstimate.OfAsync(host, job, outline, interrupted);
            if (job.Json)
                PlanJson.Write(Terminal.Output, outline, estimate, job.Folder);
            else
                PlanTable.Write(Terminal.Output, outline, estimate, job.Folder);
            return ExitStatus.Done;
        },
        interrupted);

    /// <exception cref="BadInputException">Results cannot be where the job wants them.</exception>
    public static void RequireBlobs(RunJob job)
    {
        if (BlobPlace.Is(job.StoreRoot) && !BlobPlace.Is(job.Folder))
            throw new BadInputException($"--out means blobs, and --save_dir is a folder ({job.Folder}): give one of them.");
        if (!BlobPlace.Is(job.Folder))
            return;
        BlobPlace.Prefix(job.Folder);
        if (job.Cluster is null)
            throw new BadInputException(
                $"{job.Folder} means blobs beside a cluster's tensors: name the cluster with --cluster, or give a folder.");
    }

    /// <summary>Does something with what computes a job.</summary>
    /// <exception cref="BadInputException">Results cannot be where the job wants them.</exception>
    public async Task<int> OnHostAsync(RunJob job, Func<IRunHost, Task<int>> work, CancellationToken interrupted)
    {
        RequireBlobs(job);
        foreach (var note in ModelNotes.Of(job.Spec.Models))
            Terminal.Say(note);
        if (job.Cluster is null)
            return await work(Host);
        await using var cluster = await ClusterHost.OpenAsync(job, Terminal, interrupted);
        return await work(cluster);
    }
}

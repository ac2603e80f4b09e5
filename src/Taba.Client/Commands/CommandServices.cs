using Taba.Storage.RunFolders;
using Taba.Client.Clusters;
using Taba.Client.Hosts;
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
    public Task<int> RunAsync(RunJob job, CancellationToken interrupted) =>
        OpenFiles.Lack(OpenFiles.ToCompute, OpenFiles.Most) is { } lack
            ? throw new BadInputException(lack)
            : OnHostAsync(job, host => new SweepRunner(host, Terminal).RunAsync(job, interrupted), interrupted);

    /// <summary>Does something with what computes a job.</summary>
    /// <exception cref="BadInputException">Results cannot be where the job wants them.</exception>
    public async Task<int> OnHostAsync(RunJob job, Func<IRunHost, Task<int>> work, CancellationToken interrupted)
    {
        if (BlobPlace.Is(job.StoreRoot) && !BlobPlace.Is(job.Folder))
            throw new BadInputException($"--out means blobs, and --save_dir is a folder ({job.Folder}): give one of them.");
        if (BlobPlace.Is(job.Folder))
        {
            BlobPlace.Prefix(job.Folder);
            if (job.Cluster is null)
                throw new BadInputException(
                    $"{job.Folder} means blobs beside a cluster's tensors: name the cluster with --cluster, or give a folder.");
        }
        foreach (var note in job.Json ? [] : ModelNotes.Of(job.Spec.Models))
            Terminal.Error.WriteLine(note);
        if (job.Cluster is null)
            return await work(Host);
        await using var cluster = await ClusterHost.OpenAsync(job, Terminal, interrupted);
        return await work(cluster);
    }
}

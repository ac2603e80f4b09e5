using Taba.Client.Clusters;
using Taba.Client.Embedded;
using Taba.Client.Running;

namespace Taba.Client.Commands;

/// <summary>What commands work with.</summary>
/// <param name="Host">What computes when no cluster is named.</param>
/// <param name="CommandLine">What the user typed.</param>
sealed record CommandServices(Terminal Terminal, IRunHost Host, string CommandLine)
{
    /// <summary>Runs a job in this process or on the cluster that it names.</summary>
    public Task<int> RunAsync(RunJob job, CancellationToken interrupted) =>
        OnHostAsync(job, host => new SweepRunner(host, Terminal).RunAsync(job, interrupted), interrupted);

    /// <summary>Does something with what computes a job.</summary>
    public async Task<int> OnHostAsync(RunJob job, Func<IRunHost, Task<int>> work, CancellationToken interrupted)
    {
        if (job.Cluster is null)
            return await work(Host);
        await using var cluster = await ClusterHost.OpenAsync(job.Cluster, job.Spec, Terminal, interrupted);
        return await work(cluster);
    }
}

using System.Diagnostics;
using Taba.Testing;
using Taba.Testing.Client;
using Taba.Testing.Clusters;
using Taba.Testing.Commands;

namespace Taba.Cluster.Tests;

/// <summary>
/// A cluster of a test, with a model and a sweep. Its silos are processes; its clients are, where they must outlive something.
/// </summary>
sealed class ClusterBench : IAsyncDisposable
{
    /// <summary>Only what hangs needs so long.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromMinutes(4);

    ClusterBench(TestCluster cluster, string sweep)
    {
        Cluster = cluster;
        TinyModels.Gaussian(Model);
        File.WriteAllText(Sweep, sweep);
    }

    public TestCluster Cluster { get; }

    public string Model => At("gaussian.json");

    public string Sweep => At("sweep.yaml");

    /// <summary>The folder of the sweep that ran in this process and in peace.</summary>
    public string Alone => At("alone");

    /// <summary>A sweep of a model that computes nothing worth mentioning.</summary>
    public static string Smooth(int samples, string more = "") => $"""
        name: smooth
        model: gaussian.json
        samples: {samples}
        num_inference_steps: 20
        stages: [sample, invert, reconstruct]
        {more}
        """;

    /// <param name="sweep">The sweep file.</param>
    /// <param name="azurite">Tensors are kept in Azurite instead of a folder.</param>
    public static async Task<ClusterBench> OnPostgresAsync(string sweep, bool azurite = false) =>
        new(await TestCluster.StartAsync(azurite), sweep);

    public static async Task<ClusterBench> OnRedisAsync(string sweep) => new(await TestCluster.StartOnRedisAsync(), sweep);

    public static async Task<ClusterBench> OnAzureAsync(string sweep) => new(await TestCluster.StartOnAzureAsync(), sweep);

    public string At(params string[] parts) => Path.Combine([Cluster.Folder, .. parts]);

    /// <summary>Starts a client in a process of its own.</summary>
    public ProgramProcess Start(params string[] arguments) => Cluster.StartClient([.. arguments, "--cluster", TestCluster.Name]);

    /// <summary>Runs a client in this process to its end.</summary>
    public Task<CommandResult> RunAsync(params string[] arguments) =>
        InProcess.RunAsync([.. arguments, "--cluster", TestCluster.Name], Cluster.ClientSettings()).WaitAsync(Limit);

    /// <summary>Runs a client that must be done.</summary>
    /// <returns>Its standard output.</returns>
    public async Task<string> DoneAsync(params string[] arguments) => (await RunAsync(arguments)).ShouldEnd(0).Output;

    /// <summary>Requires the files of the sweep that runs in this process, without the cluster and in peace.</summary>
    public async Task AssertFilesOfAnUndisturbedRunAsync(string folder)
    {
        await InProcess.DoneAsync("run", Sweep, "--out", Alone, "--device", "cpu");
        Assert.Empty(SweepFiles.Differences(SweepFiles.Digests(Alone), SweepFiles.Digests(folder)));
    }

    /// <summary>Waits until the silos made so many evaluations.</summary>
    public static async Task ReachAsync(EvaluationLog log, int evaluations)
    {
        var clock = Stopwatch.StartNew();
        while (log.Count < evaluations)
        {
            Assert.True(clock.Elapsed < Limit, $"only {log.Count} of {evaluations} evaluations were made");
            await Task.Delay(EvaluationLog.LookEvery);
        }
    }

    public ValueTask DisposeAsync() => Cluster.DisposeAsync();
}

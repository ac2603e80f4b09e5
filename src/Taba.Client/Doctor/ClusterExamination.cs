using Taba.Client.Clusters;
using Taba.Client.Hosts;
using Taba.Grains.Silos;
using Taba.Silo.Clusters;
using Taba.Storage.Manifests;
using Taba.Storage.Objects;

namespace Taba.Client.Doctor;

/// <summary>Looks at a cluster from where the client is: settings, members, store.</summary>
static class ClusterExamination
{
    /// <summary>The time for a look into the store. A run waits longer for an account that restarts.</summary>
    static readonly TimeSpan s_storeLimit = TimeSpan.FromSeconds(15);

    static readonly TimeSpan s_endsSoon = TimeSpan.FromDays(14);

    /// <param name="name">The cluster; null for the default one, or the only one.</param>
    /// <exception cref="BadInputException">The settings name no such cluster, or cannot be used.</exception>
    public static async Task<IReadOnlyList<Finding>> AllAsync(string? name, Terminal terminal, CancellationToken cancellationToken)
    {
        var options = ClusterSettings.Read(SettingsFiles.Read(), name);
        return
        [
            new(
                FindingState.Ok, "settings",
                $"cluster {options.Name} meets in {options.Provider}, store {options.Store}, grain state {options.GrainState}"),
            Tls(options),
            await MembersAsync(name, terminal, cancellationToken),
            await StoreAsync(options, cancellationToken),
        ];
    }

    static Finding Tls(TabaClusterOptions options)
    {
        if (options.Certificate is not { } certificate)
            return new(
                FindingState.Note, "tls", "off",
                "whoever reaches the silos' ports can change results: keep them in a private network, or see docs/guide/cluster.md");
        return certificate.ValidUntil - TimeProvider.System.GetUtcNow() < s_endsSoon
            ? new(FindingState.Note, "tls", certificate.Text, "renew the files: running processes take them by themselves")
            : new(FindingState.Ok, "tls", certificate.Text);
    }

    static async Task<Finding> MembersAsync(string? name, Terminal terminal, CancellationToken cancellationToken)
    {
        try
        {
            await using var sweeps = await ClusterSweeps.OpenAsync(name, terminal, cancellationToken);
            var silos = await sweeps.SilosAsync(cancellationToken);
            var names = silos.Select(s => $"{s.Name} {(s.Role == SiloRole.Coordinator ? "coordinates" : s.DeviceKind)}");
            var found = $"{silos.Length} ({string.Join(", ", names)})";
            return silos.Any(s => s.Role == SiloRole.Worker)
                ? SiloVersions.Differences(silos).ToList() is { Count: > 0 } differences
                    ? new(FindingState.Note, "silos", found, string.Join(" ", differences))
                    : new(FindingState.Ok, "silos", found)
                : new(
                    FindingState.Note, "silos", found,
                    $"none of them has a device, so nothing is computed: start one with `Taba.Silo --cluster {sweeps.Options.Name}`");
        }
        catch (RunFailedException exception)
        {
            return new(FindingState.Fail, "silos", "none was reached", exception.Message);
        }
    }

    static async Task<Finding> StoreAsync(TabaClusterOptions options, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(s_storeLimit);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            if (options.StoreContainer is null && !Directory.Exists(options.Store))
                return new(
                    FindingState.Fail, "store", $"{options.Store} is not a folder here",
                    "mount it under this path: run folders are written from it");
            var scratch = Path.Combine(PrivateFolder.Take(), $"doctor-{Guid.NewGuid():N}");
            try
            {
                var objects = ClusterStores.Open(options, scratch);
                await StoreLayout.RequireAsync(objects, either.Token);
                var stages = await new TensorStore(objects, mends: false).StageKeysAsync(either.Token).CountAsync(either.Token);
                return new(FindingState.Ok, "store", $"{options.Store} holds {stages} stages");
            }
            finally
            {
                if (Directory.Exists(scratch))
                    Directory.Delete(scratch, recursive: true);
            }
        }
        catch (Exception exception) when (exception is StoreException or BadInputException)
        {
            return new(FindingState.Fail, "store", "cannot be read", exception.Message);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new(
                FindingState.Fail, "store", $"{options.Store} does not answer within {s_storeLimit.TotalSeconds:0} s",
                "look at the network and the account, or at the server of the folder");
        }
    }
}

using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Azure.Data.Tables;
using Taba.Silo.Clusters;
using Taba.Testing.Servers;

namespace Taba.Cluster.Tests;

/// <summary>The tables where a cluster on Azure meets: made once, and what is said when they cannot be.</summary>
public sealed class AzureTablesTests : IAsyncLifetime
{
    AzuriteServer? _server;

    public async ValueTask InitializeAsync()
    {
        if (AzuriteServer.Missing is { } reason)
            Assert.Skip(reason);
        _server = await AzuriteServer.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
            await _server.DisposeAsync();
    }

    [Fact]
    public async Task Prepare_OfSeveralAtOnce_MakesEachTableOnce()
    {
        var options = Options(_server!.ConnectionString);
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => AzureTables.PrepareAsync(options, CancellationToken.None)));
        Assert.Equal(
            [AzureTables.Members, AzureTables.Reminders],
            await new TableServiceClient(_server.ConnectionString).QueryAsync().Select(t => t.Name).Order().ToListAsync());
    }

    [Fact]
    public async Task Prepare_WrongKey_SaysWhatToCheckAndNoSecret()
    {
        var wrong = Convert.ToBase64String(new byte[64]);
        var refused = await Assert.ThrowsAsync<ClusterUnreachableException>(() => AzureTables.PrepareAsync(
            Options(_server!.ConnectionString.Replace(AzuriteServer.Secret, wrong, StringComparison.Ordinal)), CancellationToken.None));
        Assert.Contains("refuses it", refused.Message, StringComparison.Ordinal);
        Assert.Contains("Storage Table Data Contributor", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(wrong, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Open_AccountThatTakesTheCallAndSaysNothing_IsGivenUpInTime()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        var port = ((IPEndPoint)silent.LocalEndpoint).Port;
        var options = Options($"AccountName=a;AccountKey={AzuriteServer.Secret};TableEndpoint=http://127.0.0.1:{port}/a");
        var clock = Stopwatch.StartNew();
        var failure = await Assert.ThrowsAsync<ClusterUnreachableException>(
            () => ClusterConnection.OpenAsync(options, CancellationToken.None));
        Assert.Contains($"cannot use the tables of http://127.0.0.1:{port}/a", failure.Message, StringComparison.Ordinal);
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(14), $"{clock.Elapsed}");
    }

    [Fact]
    public async Task Prepare_NoConnectionStringOfAzure_IsRefusedAndNotShown()
    {
        var refused = await Assert.ThrowsAsync<BadInputException>(() => AzureTables.PrepareAsync(
            Options($"Host=db;Password={AzuriteServer.Secret}"), CancellationToken.None));
        Assert.Contains("Taba:Clusters:lab:AzureConnectionString", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(AzuriteServer.Secret, refused.ToString(), StringComparison.Ordinal);
    }

    static TabaClusterOptions Options(string connectionString) => new()
    {
        Name = "lab",
        ClusterId = "lab",
        Provider = "azure",
        Store = "/nowhere",
        AzureConnectionString = connectionString,
    };
}

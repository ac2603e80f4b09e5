using System.Diagnostics;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text.RegularExpressions;
using Orleans.Runtime;
using Taba.Grains;
using Taba.Grains.Dispatch;
using Taba.Grains.Parts;
using Taba.Grains.Stages;
using Taba.Grains.Sweeps;
using Taba.Grains.Upkeep;
using Taba.Silo.Clusters;
using Taba.Testing;
using Taba.Testing.Client;
using Taba.Testing.Clusters;
using Taba.Testing.Commands;
using Taba.Testing.Servers;

namespace Taba.Cluster.Tests;

/// <summary>A cluster whose silos and clients show certificates: who gets in, who is told why not, and what a client may call.</summary>
public sealed partial class TlsTests(TlsTests.Guarded guarded) : IClassFixture<TlsTests.Guarded>
{
    /// <summary>Nobody waits longer for the reason.</summary>
    static readonly TimeSpan s_told = TimeSpan.FromSeconds(10);

    static readonly TimeSpan s_verdict = TimeSpan.FromSeconds(5);

    Guarded Cluster
    {
        get
        {
            Required.Here(RedisServer.Missing);
            return guarded;
        }
    }

    [Fact]
    public async Task Run_SilosAndClientWithCertificates_FilesOfAnUndisturbedRun()
    {
        var bench = Cluster.Bench;
        (await RunAsync(Cluster.Client, "run", bench.Sweep, "--out", bench.At("out"))).ShouldEnd(0);
        await bench.AssertFilesOfAnUndisturbedRunAsync(bench.At("out"));
        Assert.Contains("certificate of CN=w1, by CN=authority", bench.Cluster.Silos["w1"].Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("There is no TLS", bench.Cluster.Silos["w1"].Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Doctor_WithACertificate_SaysWhoseAndUntilWhen()
    {
        var doctor = (await RunAsync(Cluster.Client, "doctor")).ShouldEnd(0).Output;
        Assert.Contains("ok    tls        certificate of CN=client, by CN=authority, valid until 2", doctor, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Doctor_WithACertificateThatEndsSoon_SaysSo()
    {
        var soon = Cluster.Authority.Issue("soon", clientOnly: true, validFor: TimeSpan.FromDays(3));
        var doctor = (await RunAsync(soon, "doctor")).ShouldEnd(0).Output;
        Assert.Contains("note  tls        certificate of CN=soon", doctor, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Client_WithoutACertificate_IsToldInTime()
    {
        var refused = await ToldAsync(null, "list");
        Assert.Contains("wants TLS, and this process has none: set Tls:CertificateFile", refused, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Client_OfAnotherAuthority_IsToldInTime()
    {
        using var other = new TestAuthority(Cluster.Folder, "foreign");
        // It takes the silos' certificates: that its own is not taken is for the silo to say.
        var refused = await ToldAsync(other.Issue("stranger") with { Authority = Both(other) }, "status");
        Assert.Contains("does not take the certificate of CN=stranger, by CN=foreign", refused, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Client_ThatTrustsAnotherAuthority_IsToldInTime()
    {
        using var other = new TestAuthority(Cluster.Folder, "elsewhere");
        var refused = await ToldAsync(other.Issue("visitor"), "status");
        Assert.Contains("shows a certificate of CN=w", refused, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ClientAndSilo_OneWithoutTls_SilosSayThatTheyAreOpenAndTheClientIsToldInTime()
    {
        Required.Here(RedisServer.Missing);
        await using var bench = await ClusterBench.OnRedisAsync(ClusterBench.Smooth(1));
        bench.Cluster.SettingsOf["plain"] = new()
        {
            [$"Taba__Clusters__{TestCluster.Name}__Address"] = "0.0.0.0",
            [$"Taba__Clusters__{TestCluster.Name}__AdvertisedAddress"] = "127.0.0.1",
        };
        var silo = await bench.Cluster.StartSiloAsync("plain");
        Assert.Contains("There is no TLS, and other machines reach 0.0.0.0", silo.Errors, StringComparison.Ordinal);
        var clock = Stopwatch.StartNew();
        var refused = (await InProcess.RunAsync(
            ["list", "--cluster", TestCluster.Name], With(bench.Cluster.ClientSettings(), Cluster.Client))).ShouldEnd(3);
        Assert.Contains("has no TLS, and this process wants it", refused.Errors, StringComparison.Ordinal);
        Assert.True(clock.Elapsed < s_told, $"{clock.Elapsed}");
    }

    [Theory]
    [InlineData(null, "wants TLS, and this process has none")]
    [InlineData("foreign-silo", "does not take the certificate of CN=foreign-silo")]
    public async Task Silo_ThatTheOthersRefuse_SaysWhyAndEnds(string? certificate, string reason)
    {
        using var other = new TestAuthority(Cluster.Folder, $"others-of-{certificate}");
        var files = certificate is null ? null : other.Issue(certificate) with { Authority = Both(other) };
        var silo = Cluster.Begin("w9", files);
        var ended = await silo.EndAsync(ClusterBench.Limit);
        Assert.Equal(3, ended.Status);
        Assert.Contains("the silo cannot join cluster", ended.Errors, StringComparison.Ordinal);
        Assert.Contains(reason, ended.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Silo_WithACertificateForClients_IsBadInput()
    {
        var silo = Cluster.Begin("w8", Cluster.Client);
        var ended = await silo.EndAsync(ClusterBench.Limit);
        Assert.Equal(2, ended.Status);
        Assert.Contains("is for clients and not for silos", ended.Errors, StringComparison.Ordinal);
    }

    /// <summary>Whoever has no certificate for servers is no silo, though the authority knows them.</summary>
    [Fact]
    public async Task SiloPort_CertificateForClients_IsNotTaken()
    {
        Assert.True(await IsTakenAsync(Cluster.Ports("w1").Gateway, Cluster.Client));
        Assert.False(await IsTakenAsync(Cluster.Ports("w1").Silo, Cluster.Client));
        Assert.True(await IsTakenAsync(Cluster.Ports("w1").Silo, Cluster.Authority.Issue("a-silo")));
    }

    [Fact]
    public async Task Gateway_FilesRenewed_ShowsTheNewCertificate()
    {
        var gateway = Cluster.Ports("w2").Gateway;
        Assert.Equal("CN=w2", await ShownAsync(gateway, Cluster.Client));
        Cluster.Authority.Issue("w2-renewed", file: "w2");
        Assert.Equal("CN=w2-renewed", await ShownAsync(gateway, Cluster.Client));
    }

    [Fact]
    public async Task Gateway_CallsThatAreBetweenSilos_AreRefusedWithASentence()
    {
        await using var connection = await Cluster.ConnectAsync();
        var grains = connection.Grains;
        var stage = grains.GetGrain<IStageGrain>(StageAddress.GrainKey("s"));
        var attempt = new PartAttempt("s", 0, 1, Guid.NewGuid());

        await RefusedAsync("IStageGrain.LeaseAsync", () => stage.LeaseAsync("me", new(1, null)));
        await RefusedAsync("IStageGrain.CompleteAsync", () => stage.CompleteAsync(
            attempt, RowSet.Of(new RowRange(0, 1)), CaptureSelection.None, []));
        await RefusedAsync("IPartGrain.StopAsync", () => grains.GetGrain<IPartGrain>("s/0").StopAsync(attempt));
        await RefusedAsync("ISweepGrain.WakeAsync", () => grains.GetGrain<ISweepGrain>("s").WakeAsync());
        await RefusedAsync("IDispatcherGrain.SetSweepsAsync", () => grains.GetGrain<IDispatcherGrain>(0).SetSweepsAsync([]));
        await RefusedAsync("ISweepIndexGrain.AddAsync", () => grains.GetGrain<ISweepIndexGrain>(0).AddAsync(
            new("s", "s", 0, false, DateTimeOffset.UnixEpoch, null, null)));
        await RefusedAsync("IStoreUpkeepGrain.EnsureAsync", () => grains.GetGrain<IStoreUpkeepGrain>(0).EnsureAsync());
        await RefusedAsync("IManagementGrain.GetHosts", () => grains.GetGrain<IManagementGrain>(0).GetHosts());

        // What is for clients still answers.
        Assert.Equal(0, (await stage.GetPublishedAsync(CaptureSelection.None)).Count);
        Assert.Null(await grains.GetGrain<ISweepGrain>("no-sweep").GetPlanAsync());
    }

    static async Task RefusedAsync(string method, Func<Task> call)
    {
        var refused = await Assert.ThrowsAsync<CallRefusedException>(call);
        Assert.Contains($"{method} is not for programs outside the cluster", refused.Message, StringComparison.Ordinal);
    }

    async Task<string> ToldAsync(CertificateFiles? files, string command)
    {
        var clock = Stopwatch.StartNew();
        var refused = (await RunAsync(files, command)).ShouldEnd(3);
        Assert.True(clock.Elapsed < s_told, $"{clock.Elapsed}");
        return refused.Errors;
    }

    Task<CommandResult> RunAsync(CertificateFiles? files, params string[] arguments) => InProcess.RunAsync(
        [.. arguments, "--cluster", TestCluster.Name], With(Cluster.Bench.Cluster.ClientSettings(), files)).WaitAsync(ClusterBench.Limit);

    string Both(TestAuthority other)
    {
        var both = Path.Combine(Cluster.Folder, $"{Path.GetFileName(other.File)}.both");
        File.WriteAllText(both, File.ReadAllText(other.File) + File.ReadAllText(Cluster.Authority.File));
        return both;
    }

    static Dictionary<string, string> With(Dictionary<string, string> settings, CertificateFiles? files)
    {
        foreach (var (key, value) in files?.Settings() ?? [])
            settings[key] = value;
        return settings;
    }

    static async Task<string?> ShownAsync(IPEndPoint port, CertificateFiles files)
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(port);
        using var stream = await HandshakeAsync(socket, files);
        return stream.RemoteCertificate?.Subject;
    }

    /// <summary>Whether a port keeps the connection once it has seen the certificate.</summary>
    static async Task<bool> IsTakenAsync(IPEndPoint port, CertificateFiles files)
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(port);
        using var limit = new CancellationTokenSource(s_verdict);
        try
        {
            using var stream = await HandshakeAsync(socket, files);
            return await stream.ReadAsync(new byte[1], limit.Token) > 0;
        }
        catch (OperationCanceledException)
        {
            return true;
        }
        catch (Exception exception) when (exception is IOException or AuthenticationException)
        {
            return false;
        }
    }

    static async Task<SslStream> HandshakeAsync(TcpClient socket, CertificateFiles files)
    {
        var stream = new SslStream(socket.GetStream(), false, (_, certificate, _, _) => certificate is not null);
        await stream.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "taba",
            ClientCertificates = [X509Certificate2.CreateFromPemFile(files.Certificate, files.Key)],
        });
        return stream;
    }

    /// <summary>Two workers with certificates of one authority, and a client with one that is for clients.</summary>
    public sealed partial class Guarded : IAsyncLifetime
    {
        readonly TempFolder _folder = new();

        internal ClusterBench Bench { get; private set; } = null!;

        public string Folder => _folder.Path;

        public TestAuthority Authority { get; private set; } = null!;

        public CertificateFiles Client { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            if (RedisServer.Missing is not null)
                return;
            Authority = new(Folder);
            Client = Authority.Issue("client", clientOnly: true);
            Bench = await ClusterBench.OnRedisAsync(ClusterBench.Smooth(40));
            foreach (var name in new[] { "w1", "w2" })
            {
                Bench.Cluster.SettingsOf[name] = Authority.Issue(name).Settings();
                await Bench.Cluster.StartSiloAsync(name);
            }
        }

        public ProgramProcess Begin(string name, CertificateFiles? files)
        {
            Bench.Cluster.SettingsOf[name] = files?.Settings() ?? [];
            return Bench.Cluster.BeginSilo(name);
        }

        /// <summary>The ports that a silo named when it was ready.</summary>
        public (IPEndPoint Silo, IPEndPoint Gateway) Ports(string name)
        {
            var ports = Ready().Match(Bench.Cluster.Silos[name].Output);
            return (IPEndPoint.Parse(ports.Groups["silo"].Value), IPEndPoint.Parse(ports.Groups["gateway"].Value));
        }

        public Task<ClusterConnection> ConnectAsync()
        {
            var settings = With(Bench.Cluster.ClientSettings(), Client)
                .Select(p => KeyValuePair.Create(p.Key.Replace("__", ":", StringComparison.Ordinal), (string?)p.Value));
            return ClusterConnection.OpenAsync(ClusterSettings.Read(settings, TestCluster.Name), CancellationToken.None);
        }

        public async ValueTask DisposeAsync()
        {
            if (Bench is not null)
                await Bench.DisposeAsync();
            Authority?.Dispose();
            _folder.Dispose();
        }

        [GeneratedRegex(@"(?<silo>127\.0\.0\.1:\d+), gateway (?<gateway>127\.0\.0\.1:\d+)", RegexOptions.CultureInvariant)]
        private static partial Regex Ready();
    }
}

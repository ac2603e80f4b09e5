using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Messaging;
using Taba.Grains;
using Taba.Silo.Hosting;
using Taba.Silo.Telemetry;
using Taba.Silo.Tls;

namespace Taba.Silo.Clusters;

/// <summary>A client of a cluster, outside it. Calls that fail are its owner's to make again.</summary>
public sealed class ClusterConnection : IAsyncDisposable
{
    static readonly TimeSpan s_openLimit = TimeSpan.FromSeconds(15);

    /// <summary>What takes longer may have a reason that Orleans does not tell.</summary>
    static readonly TimeSpan s_usual = TimeSpan.FromSeconds(3);
    static readonly TimeSpan s_closeLimit = TimeSpan.FromSeconds(5);

    readonly IHost _host;

    ClusterConnection(IHost host) => _host = host;

    public IGrainFactory Grains => _host.Services.GetRequiredService<IGrainFactory>();

    /// <exception cref="ClusterUnreachableException">
    /// The server, or every silo, does not answer within 15 s, the schema is none that this program works with, or a silo does not take
    /// this client's certificate, or shows none that this client takes.
    /// </exception>
    /// <exception cref="BadInputException">The certificate is not for clients.</exception>
    public static async Task<ClusterConnection> OpenAsync(TabaClusterOptions options, CancellationToken cancellationToken)
    {
        if (options.Credentials is { IsForClients: false } other)
            throw new BadInputException($"{options.TlsSection}:CertificateFile: the {other.Text} is not for clients.");
        using var limit = new CancellationTokenSource(s_openLimit);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        IHost? host = null;
        try
        {
            await ClusterSchema.RequireAsync(options, either.Token);
            var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
            builder.Logging.SetMinimumLevel(LogLevel.None);
            builder.AddTabaTelemetry($"client-{Environment.MachineName}-{Environment.ProcessId}");
            builder.UseOrleansClient(client => client.AddTabaCluster(options));
            host = builder.Build();
            var starting = host.StartAsync(either.Token);
            if (await RefusalAsync(host, options, starting, either.Token) is { } refusal)
            {
                await limit.CancelAsync();
                throw new ClusterUnreachableException($"cluster {options.Name} cannot be used: {refusal}");
            }
            await starting;
            return new(host);
        }
        catch (Exception exception) when (exception is not (ClusterUnreachableException or BadInputException)
            && !cancellationToken.IsCancellationRequested)
        {
            if (host is not null)
                await CloseAsync(host);
            throw new ClusterUnreachableException(
                $"no silo of cluster {options.Name} answers: start one with `Taba.Silo --cluster {options.Name}`, or see `taba doctor "
                + $"--cluster {options.Name}`", exception);
        }
        catch
        {
            if (host is not null)
                await CloseAsync(host);
            throw;
        }
    }

    public async ValueTask DisposeAsync() => await CloseAsync(_host);

    /// <summary>A client that no gateway takes would wait until its time is over, and not say why.</summary>
    static async Task<string?> RefusalAsync(IHost host, TabaClusterOptions options, Task starting, CancellationToken cancellationToken)
    {
        await Task.WhenAny(starting, Task.Delay(s_usual, cancellationToken));
        if (starting.IsCompletedSuccessfully)
            return null;
        var gateways = await host.Services.GetRequiredService<IGatewayListProvider>().GetGateways();
        return await Handshake.RefusalAsync(
            gateways.Select(g => g.ToIPEndPoint()).OfType<IPEndPoint>(), options.Credentials, cancellationToken);
    }

    static async Task CloseAsync(IHost host)
    {
        try
        {
            using var limit = new CancellationTokenSource(s_closeLimit);
            await host.StopAsync(limit.Token);
        }
        catch (Exception)
        {
            // It goes away in any case; only a farewell is lost.
        }
        await host.DisposeHostAsync();
    }
}

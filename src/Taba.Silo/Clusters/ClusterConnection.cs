using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Taba.Grains;
using Taba.Silo.Hosting;
using Taba.Silo.Telemetry;

namespace Taba.Silo.Clusters;

/// <summary>A client of a cluster, outside it. Calls that fail are its owner's to make again.</summary>
public sealed class ClusterConnection : IAsyncDisposable
{
    static readonly TimeSpan s_openLimit = TimeSpan.FromSeconds(15);
    static readonly TimeSpan s_closeLimit = TimeSpan.FromSeconds(5);

    readonly IHost _host;

    ClusterConnection(IHost host) => _host = host;

    public IGrainFactory Grains => _host.Services.GetRequiredService<IGrainFactory>();

    /// <exception cref="ClusterUnreachableException">
    /// The server, or every silo, does not answer within 15 s, or the schema is none that this program works with.
    /// </exception>
    public static async Task<ClusterConnection> OpenAsync(TabaClusterOptions options, CancellationToken cancellationToken)
    {
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
            await host.StartAsync(either.Token);
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

using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Taba.Grains.Silos;
using Taba.Silo.Web.Access;
using Taba.Silo.Web.Files;
using Taba.Silo.Web.Json;
using Taba.Silo.Web.Live;
using Taba.Silo.Web.Samples;
using Taba.Silo.Web.Silos;
using Taba.Silo.Web.Sweeps;

namespace Taba.Silo.Web;

/// <summary>
/// The silo's web server: the dashboard and its JSON on one port, metrics and health on another. Which port a request came in by decides
/// what it may see, not the name that it says it wants.
/// </summary>
static class WebHost
{
    const long LargestRequest = 1 << 16;
    const int MostConnections = 256;
    const int SweepsOfAStream = 50;

    static readonly TimeSpan s_overviewEvery = TimeSpan.FromSeconds(2);

    /// <param name="cluster">The cluster's name; null of an embedded run.</param>
    public static void Add(WebApplicationBuilder builder, WebSettings settings, string? cluster)
    {
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = LargestRequest;
            kestrel.Limits.MaxConcurrentConnections = MostConnections;
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(5);
            kestrel.Listen(settings.ToAddress(), settings.Port);
            if (settings.OperationsPort != 0)
                kestrel.Listen(settings.ToAddress(), settings.OperationsPort);
        });
        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton<Health>();
        builder.Services.AddSingleton<SamplePictures>();
        builder.Services.AddSingleton<Feeds>();
        builder.Services.AddSingleton<SweepLooks>();
        builder.Services.AddSingleton<SweepSteering>();
        builder.Services.AddSingleton<SiloLooks>();
        builder.Services.AddSingleton(cluster is null ? Ending.Command : Ending.Silo);
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.Services.ConfigureHttpJsonOptions(o => o.SerializerOptions.TypeInfoResolverChain.Insert(0, ViewJson.Default));
    }

    public static WebApplication Map(WebApplication app, WebSettings settings, string? cluster)
    {
        if (settings.ServesMetrics)
        {
            app.MapWhen(request => request.Connection.LocalPort == settings.OperationsPort, operations =>
            {
                operations.UseOpenTelemetryPrometheusScrapingEndpoint("/metrics");
                operations.UseRouting();
                operations.UseEndpoints(endpoints => endpoints.MapHealth());
            });
        }
        app.MapWhen(request => request.Connection.LocalPort != settings.OperationsPort, pages =>
        {
            var gate = new Gate(settings.ReadToken(), app.Services.GetRequiredService<TimeProvider>());
            pages.UseStatusCodePages(SayAsync);
            pages.UseRouting();
            pages.Use(gate.InvokeAsync);
            pages.UseEndpoints(endpoints =>
            {
                endpoints.MapPageFiles();
                endpoints.MapSessions(gate, cluster);
                endpoints.MapSweeps();
                endpoints.MapSilos();
                endpoints.MapGet("/api/events", OverviewAsync);
                endpoints.MapSamples();
                endpoints.MapOrleansPages(settings);
            });
        });
        return app;
    }

    /// <summary>Where a browser of this machine finds the dashboard, once the host has started.</summary>
    public static Uri? AddressOf(IServiceProvider services, WebSettings settings)
    {
        var addresses = services.GetService<IServer>()?.Features.Get<IServerAddressesFeature>()?.Addresses ?? [];
        var address = addresses.Select(a => new Uri(a)).FirstOrDefault(a => a.Port != settings.OperationsPort);
        var isAny = IPAddress.TryParse(address?.Host.Trim('[', ']'), out var ip)
            && (ip.Equals(IPAddress.Any) || ip.Equals(IPAddress.IPv6Any));
        return address is null || !isAny ? address : new UriBuilder(address) { Host = $"{IPAddress.Loopback}" }.Uri;
    }

    /// <summary>The stream of the pages that show all sweeps, or all silos.</summary>
    static Task OverviewAsync(SweepLooks sweeps, SiloLooks silos, Feeds feeds, HttpContext context) => feeds.StreamAsync(
        context, s_overviewEvery, new FeedPart("sweeps", () => sweeps.ListAsync(0, SweepsOfAStream)),
        new FeedPart("silos", () => silos.ListAsync(0, FleetView.MostSilos)));

    /// <summary>What routing refuses is said in a sentence too.</summary>
    static Task SayAsync(StatusCodeContext refused) => Answers.ErrorAsync(
        refused.HttpContext, refused.HttpContext.Response.StatusCode, refused.HttpContext.Response.StatusCode switch
        {
            StatusCodes.Status400BadRequest => "a number in the address, or what was sent, cannot be read",
            StatusCodes.Status404NotFound => "there is nothing at this address",
            StatusCodes.Status405MethodNotAllowed => "this address takes other methods",
            var status => $"status {status}",
        });

    /// <summary>Signals are the program's own to hear.</summary>
    sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}

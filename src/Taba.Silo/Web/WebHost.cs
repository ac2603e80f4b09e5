using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Taba.Silo.Web;

/// <summary>
/// The silo's web server: read-only JSON on one port, metrics and health on another. Which port a request came in by decides what it may
/// see, not the name that it says it wants.
/// </summary>
static class WebHost
{
    const long LargestRequest = 1 << 16;
    const int MostConnections = 256;

    public static void Add(WebApplicationBuilder builder, WebSettings settings)
    {
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = LargestRequest;
            kestrel.Limits.MaxConcurrentConnections = MostConnections;
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(5);
            kestrel.Listen(settings.ToAddress(), settings.Port);
            kestrel.Listen(settings.ToAddress(), settings.OperationsPort);
        });
        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton<Health>();
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.Services.ConfigureHttpJsonOptions(o => o.SerializerOptions.TypeInfoResolverChain.Insert(0, ViewJson.Default));
    }

    public static WebApplication Map(WebApplication app, WebSettings settings)
    {
        app.MapWhen(request => request.Connection.LocalPort == settings.OperationsPort, operations =>
        {
            operations.UseOpenTelemetryPrometheusScrapingEndpoint("/metrics");
            operations.UseRouting();
            operations.UseEndpoints(endpoints => endpoints.MapHealth());
        });
        app.MapWhen(request => request.Connection.LocalPort == settings.Port, pages =>
        {
            var guard = new TokenGuard(settings.ReadToken());
            pages.Use(guard.InvokeAsync);
            pages.UseRouting();
            pages.UseEndpoints(endpoints =>
            {
                endpoints.MapSweeps();
                endpoints.MapSilos();
            });
        });
        return app;
    }

    /// <summary>Signals are the program's own to hear.</summary>
    sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}

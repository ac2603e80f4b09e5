using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Taba.Silo.Telemetry;
using Taba.Silo.Web;

namespace Taba.Silo.Hosting;

/// <summary>A silo's host in the making: with a web server where the settings name an address for one, else without.</summary>
sealed class SiloHostBuilder
{
    readonly Func<IHost> _build;

    SiloHostBuilder(IHostApplicationBuilder builder, WebSettings web, Func<IHost> build)
    {
        (Builder, Web, _build) = (builder, web, build);
        Logging = LoggingSettings.Of(builder.Configuration);
    }

    public IHostApplicationBuilder Builder { get; }

    public WebSettings Web { get; }

    public LoggingSettings Logging { get; }

    /// <param name="settings">All settings, checked (<see cref="SettingsCheck"/>).</param>
    /// <param name="cluster">The cluster's name; null of an embedded silo.</param>
    public static SiloHostBuilder Create(IReadOnlyList<KeyValuePair<string, string?>> settings, string? cluster)
    {
        var web = WebSettings.Of(new ConfigurationBuilder().AddInMemoryCollection(settings).Build());
        if (!web.IsOn)
        {
            var plain = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
            plain.Configuration.AddInMemoryCollection(settings);
            return new(plain, web, plain.Build);
        }
        var served = WebApplication.CreateEmptyBuilder(new());
        served.Configuration.AddInMemoryCollection(settings);
        WebHost.Add(served, web, cluster);
        return new(served, web, () => WebHost.Map(served.Build(), web, cluster));
    }

    public IHost Build() => _build();
}

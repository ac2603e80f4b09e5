using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Taba.Grains;
using Taba.Silo.Telemetry;
using Taba.Silo.Web;

namespace Taba.Silo.Hosting;

/// <summary>Refuses wrong settings before anything is started or written.</summary>
static class SettingsCheck
{
    /// <exception cref="BadInputException">A setting is of the wrong type or outside its range.</exception>
    public static void Require(IEnumerable<KeyValuePair<string, string?>> settings)
    {
        var services = new ServiceCollection();
        services.AddTabaSettings(new ConfigurationBuilder().AddInMemoryCollection(settings).Build());
        _ = OtelVariables.Read();
        using var provider = services.BuildServiceProvider();
        try
        {
            provider.GetRequiredService<IStartupValidator>().Validate();
            var web = provider.GetRequiredService<IOptions<WebSettings>>().Value;
            _ = web.ReadToken();
            web.RequireFreePorts();
        }
        catch (Exception exception) when (exception is OptionsValidationException or InvalidOperationException or AggregateException)
        {
            throw new BadInputException($"The settings cannot be used: {exception.Message}", exception);
        }
    }
}

using Microsoft.Extensions.Configuration;
using Taba.Diffusion;
using Taba.Grains;

namespace Taba.Silo.Clusters;

/// <summary>Settings: appsettings.json, that of the environment, the user's own file, then the environment's variables.</summary>
public static class SettingsFiles
{
    /// <exception cref="BadInputException">A file is not valid JSON, a key is unknown, or a value of another type.</exception>
    public static IReadOnlyList<KeyValuePair<string, string?>> Read()
    {
        var environment = Environment.GetEnvironmentVariable("DOTNET_ENVIRONMENT") ?? "Production";
        var user = Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.ApplicationData), "taba", "settings.json");
        try
        {
            KeyValuePair<string, string?>[] settings = [.. new ConfigurationBuilder()
                .AddJsonFile(Path.GetFullPath("appsettings.json"), optional: true)
                .AddJsonFile(Path.GetFullPath($"appsettings.{environment}.json"), optional: true)
                .AddJsonFile(user, optional: true)
                .AddEnvironmentVariables()
                .Build()
                .AsEnumerable()
                .Where(pair => pair.Key.StartsWith("Taba:", StringComparison.OrdinalIgnoreCase))
                // No value but a path begins so.
                .Select(pair => KeyValuePair.Create(pair.Key, pair.Value is { } value ? HomePath.Expand(value) : null))];
            KnownSettings.Require(settings);
            return settings;
        }
        catch (InvalidDataException exception)
        {
            throw new BadInputException($"{exception.Message} {exception.InnerException?.Message}".Trim(), exception);
        }
    }
}

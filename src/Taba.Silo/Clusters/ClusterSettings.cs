using System.ComponentModel.DataAnnotations;
using System.Net;
using Microsoft.Extensions.Configuration;
using Taba.Grains;
using Taba.Silo.Tls;

namespace Taba.Silo.Clusters;

/// <summary>Reads a cluster's section and refuses what cannot work before anything is started.</summary>
public static class ClusterSettings
{
    static readonly char[] s_notInKeys = ['/', '\\', '#', '?'];

    /// <summary>The cluster that is meant when none is named.</summary>
    public const string DefaultKey = "Taba:DefaultCluster";

    /// <summary>The names of all clusters in the settings.</summary>
    public static IReadOnlyList<string> Names(IEnumerable<KeyValuePair<string, string?>> settings) =>
        [.. Configuration(settings).GetSection(TabaClusterOptions.Section).GetChildren().Select(c => c.Key).Order(
            StringComparer.OrdinalIgnoreCase)];

    /// <summary>The cluster of a name, or, without one, that of <see cref="DefaultKey"/> or the only one there is.</summary>
    /// <param name="settings">As <see cref="SettingsFiles"/> reads them.</param>
    /// <exception cref="BadInputException">There is no such cluster, or a setting cannot be used.</exception>
    public static TabaClusterOptions Read(IEnumerable<KeyValuePair<string, string?>> settings, string? name)
    {
        var configuration = Configuration(settings);
        var known = configuration.GetSection(TabaClusterOptions.Section).GetChildren().Select(c => c.Key).Order(
            StringComparer.OrdinalIgnoreCase).ToList();
        name ??= configuration[DefaultKey] ?? (known.Count == 1 ? known[0] : null);
        if (name is null)
        {
            throw new BadInputException(known.Count == 0
                ? $"No cluster is set up: add a section {TabaClusterOptions.Section}:NAME to appsettings.json, or set "
                    + "Taba__Clusters__NAME__Provider and so on."
                : $"There are several clusters ({string.Join(", ", known)}): name one with --cluster, or set {DefaultKey}.");
        }
        if (known.FirstOrDefault(k => k.Equals(name, StringComparison.OrdinalIgnoreCase)) is not { } key)
        {
            throw new BadInputException(known.Count == 0
                ? $"There is no cluster '{name}' in the settings: add a section {TabaClusterOptions.Section}:{name}, or set "
                    + $"Taba__Clusters__{name}__Provider and so on."
                : $"There is no cluster '{name}' in the settings; there {(known.Count == 1 ? "is" : "are")} {string.Join(", ", known)}.");
        }
        var section = configuration.GetSection($"{TabaClusterOptions.Section}:{key}");
        var options = new TabaClusterOptions();
        try
        {
            section.Bind(options);
        }
        catch (InvalidOperationException exception)
        {
            // The binder's message names the key, not the value: values may be secrets.
            throw new BadInputException($"The settings of cluster {key} cannot be read: {exception.Message}", exception);
        }
        options.Name = key;
        options.ClusterId ??= key;
        Check(options, section);
        options.ConnectionString = Secret(
            options, nameof(options.ConnectionString), options.ConnectionString, options.ConnectionStringFile);
        if (options.Provider != TabaClusterOptions.Azure && options.ConnectionString is null)
            throw Bad(
                options, nameof(options.ConnectionString),
                "it is missing: set it in the environment, or name a file in ConnectionStringFile");
        options.AzureConnectionString = Secret(
            options, nameof(options.AzureConnectionString), options.AzureConnectionString, options.AzureConnectionStringFile);
        CheckAzure(options);
        if (options.Tls.IsOn)
            options.Credentials = Credentials.Read(options.Tls, options.TlsSection, TimeProvider.System);
        return options;
    }

    static void CheckAzure(TabaClusterOptions options)
    {
        if ((options.StoreContainer ?? options.GrainStateContainer) is not null && options.AzureConnectionString is null
            && options.AzureAccountUri is null)
            throw Bad(options, nameof(options.AzureConnectionString), "azure needs it, or AzureAccountUri for a managed identity");
        if (options.Provider != TabaClusterOptions.Azure)
            return;
        if (options.ConnectionString is not null)
            throw Bad(
                options, nameof(options.ConnectionString), "azure has no database: sign in with AzureConnectionString or AzureAccountUri");
        if (options.ClusterId!.IndexOfAny(s_notInKeys) >= 0)
            throw Bad(options, nameof(options.ClusterId), $"'{options.ClusterId}': the key of a table has none of / \\ # ?");
        if (options.AzureConnectionString is null && AzureTables.Address(options) is null)
            throw Bad(
                options, nameof(options.AzureTableUri),
                $"it does not follow from '{options.AzureAccountUri}': set it, such as https://ACCOUNT.table.core.windows.net");
    }

    static void Check(TabaClusterOptions options, IConfigurationSection section)
    {
        var faults = new List<ValidationResult>();
        if (!Validator.TryValidateObject(options, new ValidationContext(options), faults, validateAllProperties: true))
        {
            var member = faults[0].MemberNames.First();
            throw Bad(options, member, section[member] is { Length: > 0 } value
                ? $"'{value}': {faults[0].ErrorMessage}"
                : $"{faults[0].ErrorMessage}");
        }
        foreach (var (member, value) in new[] { (nameof(options.Address), options.Address),
            (nameof(options.AdvertisedAddress), options.AdvertisedAddress) })
        {
            if (value is not null && !IPAddress.TryParse(value, out _))
                throw Bad(options, member, $"'{value}' is not an IP address, such as 127.0.0.1 or 10.0.0.7");
        }
        foreach (var (member, value, service) in new[] { (nameof(options.AzureAccountUri), options.AzureAccountUri, "blob"),
            (nameof(options.AzureTableUri), options.AzureTableUri, "table") })
        {
            if (value is not null && !(Uri.TryCreate(value, UriKind.Absolute, out var parsed) && parsed.Scheme == Uri.UriSchemeHttps))
                throw Bad(options, member, $"'{value}' is not an address, such as https://ACCOUNT.{service}.core.windows.net");
        }
        if (options.StoreContainer is null && !Path.IsPathFullyQualified(options.Store))
            throw Bad(
                options, nameof(options.Store), $"'{options.Store}' must be an absolute path, the same on every silo, or azure:CONTAINER");
    }

    static string? Secret(TabaClusterOptions options, string member, string? value, string? file)
    {
        if (file is null)
            return value;
        if (value is not null)
            throw Bad(options, member, $"{member}File is set too: give one of them");
        try
        {
            return File.ReadAllText(file).Trim();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw Bad(options, $"{member}File", $"'{file}' cannot be read: {exception.Message}");
        }
    }

    static BadInputException Bad(TabaClusterOptions options, string member, string what) =>
        new($"{TabaClusterOptions.Section}:{options.Name}:{member}: {what}.");

    static IConfigurationRoot Configuration(IEnumerable<KeyValuePair<string, string?>> settings) =>
        new ConfigurationBuilder().AddInMemoryCollection(settings).Build();
}

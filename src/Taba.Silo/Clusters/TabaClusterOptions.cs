using System.ComponentModel.DataAnnotations;
using System.Net;
using Taba.Silo.Tls;

namespace Taba.Silo.Clusters;

/// <summary>A cluster by its name: where its members meet, where state and tensors are, what this process binds to.</summary>
public sealed class TabaClusterOptions
{
    /// <summary>Section of the settings that holds a section for each cluster.</summary>
    public const string Section = "Taba:Clusters";

    internal const string Postgres = "postgres";
    internal const string Redis = "redis";
    internal const string Azure = "azure";
    const string DefaultContainer = "taba";

    /// <summary>The cluster's name: that of its section.</summary>
    public string Name { get; internal set; } = "";

    /// <summary>Where members meet, and where reminders are: postgres, redis or azure (the tables of an account).</summary>
    [RegularExpression($"^({Postgres}|{Redis}|{Azure})$", ErrorMessage = $"it must be {Postgres}, {Redis} or {Azure}")]
    public string Provider { get; set; } = Postgres;

    /// <summary>
    /// The address and credentials of a database. A secret: give it by the environment, or by <see cref="ConnectionStringFile"/>. None
    /// with azure.
    /// </summary>
    public string? ConnectionString { get; set; }

    /// <summary>A file that holds the connection string, such as a mounted secret.</summary>
    public string? ConnectionStringFile { get; set; }

    /// <summary>
    /// The place of grain state: azure:CONTAINER, or auto. That is the database, and with azure the container of the tensors, or else one
    /// that is called taba.
    /// </summary>
    /// <value>The default value is auto.</value>
    [RegularExpression("^(auto|azure:[a-z0-9](-?[a-z0-9]){2,62})$", ErrorMessage = "it must be auto or azure:CONTAINER")]
    public string GrainState { get; set; } = "auto";

    /// <summary>
    /// A silo that finds no schema makes it. It never changes one that is there: <c>taba cluster migrate</c> does. A convenience where
    /// silos sign in with a role that may create tables.
    /// </summary>
    /// <value>The default value is false: <c>taba cluster init</c> makes it.</value>
    public bool Init { get; set; }

    /// <summary>Silos with equal ids are one cluster.</summary>
    /// <value>The default value is the cluster's name.</value>
    public string? ClusterId { get; set; }

    /// <summary>Grain state belongs to a service: it outlives a change of <see cref="ClusterId"/>.</summary>
    /// <value>The default value is "taba".</value>
    [Required]
    public string ServiceId { get; set; } = "taba";

    /// <summary>The place of tensors: a folder that every silo reaches under the same path, or azure:CONTAINER.</summary>
    [Required(ErrorMessage = "it is missing: name a folder that all silos share, or azure:CONTAINER")]
    public string Store { get; set; } = "";

    /// <summary>For azure: the account's connection string. A secret.</summary>
    public string? AzureConnectionString { get; set; }

    /// <summary>A file that holds <see cref="AzureConnectionString"/>.</summary>
    public string? AzureConnectionStringFile { get; set; }

    /// <summary>For azure with a managed identity: the blob service's address, such as https://ACCOUNT.blob.core.windows.net.</summary>
    public string? AzureAccountUri { get; set; }

    /// <summary>
    /// The table service's address, for the provider azure with a managed identity where it does not follow from
    /// <see cref="AzureAccountUri"/> (…blob… is …table…).
    /// </summary>
    public string? AzureTableUri { get; set; }

    /// <summary>The address that the silo's ports bind to, and no other.</summary>
    /// <value>The default value is 127.0.0.1: reachable from this machine only.</value>
    [Required]
    public string Address { get; set; } = "127.0.0.1";

    /// <summary>The address under which others reach this silo, where it differs from <see cref="Address"/>.</summary>
    public string? AdvertisedAddress { get; set; }

    /// <summary>Certificates, by which silos and clients know each other.</summary>
    /// <value>By default there are none: the ports trust whoever reaches them.</value>
    public TlsSettings Tls { get; set; } = new();

    /// <summary>Port for other silos; 0 takes one that is free.</summary>
    /// <value>The default value is 0.</value>
    [Range(0, 65535)]
    public int SiloPort { get; set; }

    /// <summary>Port for clients; 0 takes one that is free.</summary>
    /// <value>The default value is 0.</value>
    [Range(0, 65535)]
    public int GatewayPort { get; set; }

    /// <summary>The time that a silo that is told to end may take to finish segments and write checkpoints.</summary>
    /// <value>The default value is 60 seconds.</value>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan DrainFor { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>The time between two questions of a silo to another whether it lives.</summary>
    /// <value>The default value is 2 seconds. Shorter ones take a busy silo for a dead one.</value>
    [Range(typeof(TimeSpan), "00:00:00.5", "00:01:00")]
    public TimeSpan ProbeTimeout { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>The longest that a probe is waited for, when answers were slow before.</summary>
    /// <value>The default value is 6 seconds.</value>
    [Range(typeof(TimeSpan), "00:00:00.5", "00:05:00")]
    public TimeSpan MaxProbeTimeout { get; set; } = TimeSpan.FromSeconds(6);

    /// <summary>The container of <see cref="Store"/>; null when it is a folder.</summary>
    public string? StoreContainer => Container(Store);

    /// <summary>The container of <see cref="GrainState"/>; null when a database keeps it.</summary>
    public string? GrainStateContainer =>
        Container(GrainState) ?? (Provider == Azure ? StoreContainer ?? DefaultContainer : null);

    /// <summary>What the files of <see cref="Tls"/> held when the settings were read; null without TLS.</summary>
    internal Credentials? Credentials { get; set; }

    /// <summary>Whose certificate this process shows, in words, and until when it is valid; null without TLS.</summary>
    public (string Text, DateTimeOffset ValidUntil)? Certificate => Credentials is { } own ? (own.Text, own.ValidUntil) : null;

    /// <summary>The key of <see cref="Tls"/>, for messages.</summary>
    internal string TlsSection => $"{Section}:{Name}:{nameof(Tls)}";

    /// <summary>Whether other machines reach the ports, where nobody is asked who it is.</summary>
    internal bool IsOpen => Credentials is null && !IPAddress.IsLoopback(IPAddress.Parse(Address));

    static string? Container(string value) =>
        value.StartsWith(Azure + ":", StringComparison.Ordinal) ? value[(Azure.Length + 1)..] : null;
}

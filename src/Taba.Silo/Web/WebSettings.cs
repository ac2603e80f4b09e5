using System.ComponentModel.DataAnnotations;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Configuration;
using Taba.Grains;

namespace Taba.Silo.Web;

/// <summary>The web server of a silo. There is none unless an address is named.</summary>
sealed class WebSettings : IValidatableObject
{
    public const string Section = "Taba:Web";

    const int ShortestToken = 16;

    /// <summary>The IP address that both ports bind to: 127.0.0.1, a pod's, or 0.0.0.0 for all. Left out, nothing is served.</summary>
    public string? Address { get; set; }

    /// <summary>The port of the dashboard and its JSON; 0 takes a free one.</summary>
    /// <value>The default value is 8080.</value>
    [Range(0, 65535)]
    public int Port { get; set; } = 8080;

    /// <summary>
    /// The port of /metrics and /health, which ask for no token: for the cluster's own network. 0 serves them nowhere.
    /// </summary>
    /// <value>The default value is 9464.</value>
    [Range(0, 65535)]
    public int OperationsPort { get; set; } = 9464;

    /// <summary>
    /// What whoever looks at the dashboard must show. A secret: give it by the environment, or by <see cref="TokenFile"/>.
    /// </summary>
    public string? Token { get; set; }

    /// <summary>A file that holds <see cref="Token"/>, such as a mounted secret.</summary>
    public string? TokenFile { get; set; }

    /// <summary>Serves the dashboard of Orleans below /orleans, to whoever shows the token. Every silo of a cluster must have it.</summary>
    /// <value>The default value is false.</value>
    public bool OrleansDashboard { get; set; }

    public bool ServesMetrics => IsOn && OperationsPort != 0;

    public bool IsOn => !string.IsNullOrEmpty(Address);

    /// <summary>The address, checked. A method: whoever checks the settings reads all properties, also while there is no address.</summary>
    public IPAddress ToAddress() => IPAddress.Parse(Address!);

    public static WebSettings Of(IConfiguration configuration) => configuration.GetSection(Section).Get<WebSettings>() ?? new();

    /// <summary>The settings of a command that shows its own run on this machine.</summary>
    /// <param name="settings">Those that it has; where they name an address already, that one serves.</param>
    /// <param name="port">0 leaves it to the settings, or takes a free one.</param>
    public static IReadOnlyList<KeyValuePair<string, string?>> OfCommand(
        IReadOnlyList<KeyValuePair<string, string?>> settings, int port)
    {
        var web = Of(new ConfigurationBuilder().AddInMemoryCollection(settings).Build());
        var more = new List<KeyValuePair<string, string?>>(settings);
        if (!web.IsOn)
        {
            more.Add(new($"{Section}:{nameof(Address)}", $"{IPAddress.Loopback}"));
            // Whoever did not ask for metrics before does not with the page.
            more.Add(new($"{Section}:{nameof(OperationsPort)}", "0"));
        }
        if (!web.IsOn || port != 0)
            more.Add(new($"{Section}:{nameof(Port)}", $"{port}"));
        return more;
    }

    /// <returns>Null when none is asked for, which is so on loopback only.</returns>
    /// <exception cref="BadInputException">
    /// The file cannot be read, the token is too short, or lacks where others reach the port.
    /// </exception>
    public string? ReadToken()
    {
        if (!IsOn)
            return null;
        var token = Token;
        if (TokenFile is { Length: > 0 } file)
        {
            try
            {
                token = File.ReadAllText(file).Trim();
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                throw new BadInputException($"{Section}:TokenFile {file} cannot be read: {exception.Message}", exception);
            }
        }
        if (string.IsNullOrEmpty(token))
        {
            return IPAddress.IsLoopback(ToAddress()) ? null : throw new BadInputException(
                $"{Section}:Address is {Address}, which others reach, and no token is set: set {Section}:Token or {Section}:TokenFile.");
        }
        return token.Length >= ShortestToken ? token : throw new BadInputException(
            $"{Section}:Token has {token.Length} characters: it must have at least {ShortestToken}.");
    }

    /// <summary>Looks whether the ports can be had, so that nothing is begun in vain.</summary>
    /// <exception cref="BadInputException">One is taken, or the address is not this machine's.</exception>
    public void RequireFreePorts()
    {
        if (!IsOn)
            return;
        foreach (var (setting, port) in new[] { (nameof(Port), Port), (nameof(OperationsPort), OperationsPort) }.Where(p => p.Item2 != 0))
        {
            using var probe = new TcpListener(ToAddress(), port);
            try
            {
                probe.Start();
            }
            catch (SocketException exception)
            {
                throw new BadInputException(
                    $"{Section}:{setting} is {port}, and that port of {Address} cannot be had: {exception.Message}. Name another one, "
                    + "or leave "
                    + $"out {Section}:Address.", exception);
            }
        }
    }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (IsOn && !IPAddress.TryParse(Address, out _))
            yield return new($"Address is '{Address}': it must be an IP address, such as 127.0.0.1 or 0.0.0.0", [nameof(Address)]);
        if (Port == OperationsPort && Port != 0)
            yield return new($"Port and OperationsPort are both {Port}: they must differ", [nameof(OperationsPort)]);
    }
}

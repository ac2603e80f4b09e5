using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;
using Orleans.Connections.Security;

namespace Taba.Silo.Tls;

/// <summary>
/// Mutual TLS on Orleans' connections. A certificate for servers is what a silo must show to others and to clients; one for clients opens
/// gateways, and no silo.
/// </summary>
static partial class TlsWiring
{
    /// <summary>No machine's name is compared: pods have none, and whoever has a certificate of the authority is of the cluster.</summary>
    const string Host = "taba";

    public static void UseTls(this ISiloBuilder silo, TlsSettings settings, string section, Credentials first) =>
        silo.Services.AddOptions<SiloConnectionOptions>().Configure<ILoggerFactory, TimeProvider>((options, loggers, time) =>
        {
            var credentials = Renewed(settings, section, first, loggers, time);
            var logger = loggers.CreateLogger(typeof(TlsWiring));
            var silos = Options(credentials, first, c => c.ServersOnly, logger);
            options.ConfigureSiloInboundConnection(connection => connection.UseServerTls(silos));
            options.ConfigureSiloOutboundConnection(connection => connection.UseClientTls(silos));
            options.ConfigureGatewayInboundConnection(
                connection => connection.UseServerTls(Options(credentials, first, c => c.Clients, logger)));
        });

    public static void UseTls(this IClientBuilder client, TlsSettings settings, string section, Credentials first) =>
        client.Services.AddOptions<ClientConnectionOptions>().Configure<ILoggerFactory>((options, loggers) =>
        {
            var credentials = Renewed(settings, section, first, loggers, TimeProvider.System);
            var logger = loggers.CreateLogger(typeof(TlsWiring));
            options.ConfigureConnection(
                connection => connection.UseClientTls(Options(credentials, first, c => c.ServersOnly, logger)));
        });

    /// <summary>The side of a connection that calls.</summary>
    public static void AsClient(SslClientAuthenticationOptions options, Credentials own)
    {
        options.TargetHost = Host;
        options.ClientCertificates = null;
        options.LocalCertificateSelectionCallback = null;
        options.ClientCertificateContext = own.Shown;
        options.CertificateChainPolicy = own.ServersOnly;
    }

    static RenewedCredentials Renewed(
        TlsSettings settings, string section, Credentials first, ILoggerFactory loggers, TimeProvider time) =>
        new(settings, section, first, time, loggers.CreateLogger<RenewedCredentials>());

    /// <param name="others">What the other side must show.</param>
    static TlsOptions Options(
        RenewedCredentials credentials, Credentials first, Func<Credentials, X509ChainPolicy> others, ILogger logger) => new()
        {
            // Asked for when the host is built; what is shown is chosen for each connection.
            LocalCertificate = first.Own,
            RemoteCertificateMode = RemoteCertificateMode.RequireCertificate,
            OnAuthenticateAsServer = (_, options) =>
            {
                var server = (SslServerAuthenticationOptions)options.SslServerAuthenticationOptions;
                var own = credentials.Now;
                server.ServerCertificate = null;
                server.ServerCertificateSelectionCallback = null;
                server.ServerCertificateContext = own.Shown;
                server.CertificateChainPolicy = others(own);
            },
            OnAuthenticateAsClient = (_, options) =>
                AsClient((SslClientAuthenticationOptions)options.SslClientAuthenticationOptions, credentials.Now),
            RemoteCertificateValidation = (certificate, chain, errors) =>
            {
                if (IsTaken(errors))
                    return true;
                LogRefused(logger, certificate.Subject, certificate.Issuer, Reason(chain, errors));
                return false;
            },
        };

    /// <summary>Whether a chain held: names are not compared.</summary>
    public static bool IsTaken(SslPolicyErrors errors) => (errors & ~SslPolicyErrors.RemoteCertificateNameMismatch) == SslPolicyErrors.None;

    public static string Reason(X509Chain? chain, SslPolicyErrors errors) =>
        chain?.ChainStatus is [var first, ..] ? first.StatusInformation.Trim().TrimEnd('.') : errors.ToString();

    [LoggerMessage(5103, LogLevel.Warning, "TLS: a connection was refused, for it showed a certificate of {Subject} by {Issuer}: {Reason}")]
    static partial void LogRefused(ILogger logger, string subject, string issuer, string reason);
}

using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;

namespace Taba.Silo.Tls;

/// <summary>
/// Says why a silo does not talk to this process. Orleans tries for ever and keeps the reason to itself, so one connection is made by hand.
/// </summary>
static class Handshake
{
    /// <summary>The time for all of it. A silo that is only slow is given no reason.</summary>
    static readonly TimeSpan s_limit = TimeSpan.FromSeconds(4);

    /// <summary>A silo closes the connection at once when it does not take the certificate that it was shown.</summary>
    static readonly TimeSpan s_verdict = TimeSpan.FromSeconds(1.5);

    const int Most = 8;

    /// <param name="silos">Ports of silos or gateways; some of them are asked.</param>
    /// <param name="own">Null without TLS.</param>
    /// <returns>A reason without a full stop; null when there is none, or none that TLS explains.</returns>
    public static async Task<string?> RefusalAsync(IEnumerable<IPEndPoint> silos, Credentials? own, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(s_limit);
        var reasons = await Task.WhenAll(silos.Take(Most).Select(silo => RefusalAsync(silo, own, limit.Token)));
        return reasons.FirstOrDefault(r => r is not null);
    }

    static async Task<string?> RefusalAsync(IPEndPoint silo, Credentials? own, CancellationToken limit)
    {
        using var socket = new TcpClient(silo.AddressFamily);
        try
        {
            await socket.ConnectAsync(silo, limit);
        }
        catch (Exception exception) when (exception is SocketException or OperationCanceledException)
        {
            return null;
        }
        string? shown = null;
        var foreign = "";
        using var stream = new SslStream(socket.GetStream(), leaveInnerStreamOpen: false, (_, certificate, chain, errors) =>
        {
            shown = certificate?.Subject;
            foreign = TlsWiring.IsTaken(errors) ? "" : TlsWiring.Reason(chain, errors);
            return own is not null && foreign.Length == 0;
        });
        try
        {
            var options = new SslClientAuthenticationOptions { TargetHost = "taba" };
            if (own is not null)
                TlsWiring.AsClient(options, own);
            await stream.AuthenticateAsClientAsync(options, limit);
            return await IsClosedAsync(stream, limit)
                ? $"the silo at {silo} does not take the {own!.Text}: is it of the silos' authority, and in time?"
                : null;
        }
        catch (Exception exception) when (exception is AuthenticationException or IOException)
        {
            return (own, shown) switch
            {
                (null, not null) => $"the silo at {silo} wants TLS, and this process has none: set Tls:CertificateFile, Tls:KeyFile and "
                    + "Tls:AuthorityFile",
                (null, null) => null,
                (_, null) => $"the silo at {silo} has no TLS, and this process wants it: give its silos the settings of Tls too, or leave "
                    + "them out here",
                _ => $"the silo at {silo} shows a certificate of {shown}, which is not taken: {foreign}",
            };
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }

    static async Task<bool> IsClosedAsync(SslStream stream, CancellationToken limit)
    {
        using var verdict = CancellationTokenSource.CreateLinkedTokenSource(limit);
        verdict.CancelAfter(s_verdict);
        try
        {
            return await stream.ReadAsync(new byte[1], verdict.Token) == 0;
        }
        catch (IOException)
        {
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }
}

using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Taba.Diffusion.Weights.Hub;

/// <summary>
/// Which certificates of servers are trusted: those of this machine, which <c>SSL_CERT_FILE</c> and <c>SSL_CERT_DIR</c> replace, and those
/// of the file that the hub's own libraries take from <c>REQUESTS_CA_BUNDLE</c> or <c>CURL_CA_BUNDLE</c>.
/// </summary>
/// <param name="variable">Reads a variable.</param>
sealed class HubTrust(Func<string, string?> variable)
{
    const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";

    static readonly string[] s_ofThisMachine = ["SSL_CERT_FILE", "SSL_CERT_DIR"];
    static readonly string[] s_bundles = ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"];

    /// <summary>For handlers that open connections.</summary>
    public SslClientAuthenticationOptions Options => new() { RemoteCertificateValidationCallback = IsTrusted };

    /// <exception cref="AuthenticationException">It is not; the message says whose certificate, why, and what would help.</exception>
    bool IsTrusted(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (errors == SslPolicyErrors.None)
            return true;
        var host = (sender as SslStream)?.TargetHostName ?? "the server";
        if (errors != SslPolicyErrors.RemoteCertificateChainErrors || certificate is not X509Certificate2 shown || chain is null)
        {
            throw new AuthenticationException(
                certificate is null ? $"{host} shows no certificate"
                : $"the certificate of {host} is of another name ({certificate.Subject}): does HF_ENDPOINT or a proxy lead elsewhere?");
        }
        var remarks = s_ofThisMachine.Where(n => PathOf(n) is { } path && !Path.Exists(path)).Select(
            n => $"; {n} names {PathOf(n)}, which is not there").ToList();
        if (s_bundles.FirstOrDefault(n => PathOf(n) is not null) is { } bundle)
        {
            try
            {
                if (IsSignedBy(PathOf(bundle)!, shown, chain))
                    return true;
                remarks.Add($"; the file that {bundle} names does not have it");
            }
            catch (Exception error) when (error is CryptographicException or IOException or UnauthorizedAccessException)
            {
                remarks.Add($"; {bundle} names {PathOf(bundle)}, which cannot be read");
            }
        }
        throw new AuthenticationException(
            $"the certificate of {host} is not trusted ({string.Join(", ", chain.ChainStatus.Select(s => s.Status).Distinct())}): if a "
            + "proxy or a mirror of yours signs it, set SSL_CERT_FILE to a file that has its authority's certificate in PEM, or "
            + $"SSL_CERT_DIR{string.Concat(remarks)}");
    }

    string? PathOf(string name) => variable(name) is { Length: > 0 } path ? HomePath.Expand(path, variable("HOME")) : null;

    /// <summary>True when an authority of the file signs the certificate for a server, through what the server sent with it.</summary>
    static bool IsSignedBy(string bundle, X509Certificate2 shown, X509Chain sent)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.ImportFromPemFile(bundle);
        chain.ChainPolicy.ExtraStore.AddRange(sent.ChainElements.Select(element => element.Certificate).ToArray());
        chain.ChainPolicy.ExtraStore.AddRange(sent.ChainPolicy.ExtraStore);
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid(ServerAuthentication));
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck; // as HttpClient does
        return chain.Build(shown);
    }
}

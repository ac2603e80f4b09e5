using System.Globalization;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Taba.Silo.Tls;

/// <summary>A certificate with its key, and the authority whose certificates are taken.</summary>
sealed class Credentials
{
    static readonly Oid s_server = new("1.3.6.1.5.5.7.3.1");
    static readonly Oid s_client = new("1.3.6.1.5.5.7.3.2");

    readonly X509Certificate2Collection _authority;
    readonly X509Certificate2Collection _between;

    Credentials(X509Certificate2 own, X509Certificate2Collection between, X509Certificate2Collection authority)
    {
        (Own, _between, _authority) = (own, between, authority);
        Shown = SslStreamCertificateContext.Create(own, between, offline: true);
    }

    /// <summary>The certificate of this process, with its key.</summary>
    public X509Certificate2 Own { get; }

    /// <summary>What the other side is shown: the certificate, and those between it and the authority.</summary>
    public SslStreamCertificateContext Shown { get; }

    public DateTimeOffset ValidUntil => Own.NotAfter;

    /// <summary>For logs and people: whose certificate, of whom, until when (UTC).</summary>
    public string Text => $"certificate of {Own.Subject}, by {Own.Issuer}, valid until {Day(ValidUntil)}";

    /// <summary>Whether it may be shown by one that is called. One that does not say its uses may be shown by everybody.</summary>
    public bool IsForServers => IsFor(s_server);

    public bool IsForClients => IsFor(s_client);

    /// <summary>The policy for the certificate of one that is called, or of another silo.</summary>
    public X509ChainPolicy ServersOnly => Policy(s_server);

    /// <summary>The policy for the certificate of a client.</summary>
    public X509ChainPolicy Clients => Policy(s_client);

    /// <param name="section">The key of the settings in messages.</param>
    /// <exception cref="BadInputException">A file is missing or is something else, or what they hold does not fit together.</exception>
    public static Credentials Read(TlsSettings settings, string section, TimeProvider time)
    {
        var certificateFile = Named(settings.CertificateFile, nameof(settings.CertificateFile), section);
        var keyFile = Named(settings.KeyFile, nameof(settings.KeyFile), section);
        var authorityFile = Named(settings.AuthorityFile, nameof(settings.AuthorityFile), section);
        var certificates = Certificates(certificateFile, $"{section}:{nameof(settings.CertificateFile)}");
        var authority = Certificates(authorityFile, $"{section}:{nameof(settings.AuthorityFile)}");
        var own = WithKey(certificates[0], certificateFile, keyFile, $"{section}:{nameof(settings.KeyFile)}");
        certificates.RemoveAt(0);
        var credentials = new Credentials(own, certificates, authority);
        var file = $"{section}:{nameof(settings.CertificateFile)}: '{certificateFile}', of {own.Subject}, ";
        var now = time.GetUtcNow();
        if (own.NotAfter < now)
            throw new BadInputException($"{file}expired on {Day(own.NotAfter)}.");
        if (own.NotBefore > now)
            throw new BadInputException($"{file}is not valid before {Day(own.NotBefore)}: is this machine's clock right?");
        using var chain = new X509Chain { ChainPolicy = credentials.Policy(usage: null) };
        return chain.Build(own)
            ? credentials
            : throw new BadInputException(
                $"{file}does not go back to a certificate in '{authorityFile}' ({authority[0].Subject}): "
                + $"{chain.ChainStatus[0].StatusInformation.Trim().TrimEnd('.')}.");
    }

    X509ChainPolicy Policy(Oid? usage)
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            // Certificates of a cluster are short-lived instead.
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
        };
        policy.CustomTrustStore.AddRange(_authority);
        policy.ExtraStore.AddRange(_between);
        if (usage is not null)
            policy.ApplicationPolicy.Add(usage);
        return policy;
    }

    bool IsFor(Oid usage)
    {
        using var chain = new X509Chain { ChainPolicy = Policy(usage) };
        return chain.Build(Own);
    }

    static X509Certificate2 WithKey(X509Certificate2 certificate, string certificateFile, string keyFile, string key)
    {
        var pem = ReadText(keyFile, key);
        if (pem.Contains("ENCRYPTED", StringComparison.Ordinal))
            throw new BadInputException($"{key}: '{keyFile}' is encrypted: give the key without a passphrase, as a mounted secret.");
        if (!pem.Contains("PRIVATE KEY-----", StringComparison.Ordinal))
            throw new BadInputException($"{key}: '{keyFile}' holds no private key in PEM.");
        try
        {
            using var withKey = X509Certificate2.CreateFromPem(certificate.ExportCertificatePem(), pem);
            // Some systems use a key that came from memory only after this detour.
            return X509CertificateLoader.LoadPkcs12(withKey.Export(X509ContentType.Pkcs12), null);
        }
        catch (Exception exception) when (exception is CryptographicException or ArgumentException)
        {
            throw new BadInputException(
                $"{key}: '{keyFile}' does not hold the key of the certificate in '{certificateFile}'.", exception);
        }
    }

    static X509Certificate2Collection Certificates(string file, string key)
    {
        var found = new X509Certificate2Collection();
        try
        {
            found.ImportFromPem(ReadText(file, key));
        }
        catch (CryptographicException exception)
        {
            throw new BadInputException($"{key}: '{file}' holds a certificate that cannot be read: {exception.Message}", exception);
        }
        return found.Count > 0 ? found : throw new BadInputException($"{key}: '{file}' holds no certificate in PEM.");
    }

    static string ReadText(string file, string key)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new BadInputException($"{key}: '{file}' cannot be read: {exception.Message}", exception);
        }
    }

    static string Named(string? file, string member, string section) => file is { Length: > 0 }
        ? file
        : throw new BadInputException(
            $"{section}:{member}: it is missing: TLS needs {nameof(TlsSettings.CertificateFile)}, {nameof(TlsSettings.KeyFile)} and "
            + $"{nameof(TlsSettings.AuthorityFile)}.");

    static string Day(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture) + " UTC";
}

namespace Taba.Silo.Tls;

/// <summary>
/// Mutual TLS between silos, and between clients and silos: each side shows a certificate, and takes one that the cluster's authority
/// signed. It is on when the files are named. They are read anew for every connection, so they can be renewed while a process runs.
/// </summary>
public sealed class TlsSettings
{
    /// <summary>The certificate of this process in PEM, with those between it and the authority behind it.</summary>
    public string? CertificateFile { get; set; }

    /// <summary>The private key of the certificate in PEM, without a passphrase.</summary>
    public string? KeyFile { get; set; }

    /// <summary>The certificates of the authority in PEM: several while one takes the place of another.</summary>
    public string? AuthorityFile { get; set; }

    /// <summary>Whether any file is named; all must be then.</summary>
    public bool IsOn => CertificateFile is not null || KeyFile is not null || AuthorityFile is not null;
}

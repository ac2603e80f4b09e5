using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Taba.Testing.Clusters;

/// <summary>An authority of a test, and the files of certificates that it signed.</summary>
public sealed class TestAuthority : IDisposable
{
    const string Server = "1.3.6.1.5.5.7.3.1";
    const string Client = "1.3.6.1.5.5.7.3.2";

    static readonly TimeSpan s_skew = TimeSpan.FromMinutes(5);

    readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    readonly X509Certificate2 _certificate;
    readonly string _folder;

    /// <param name="folder">Gets the files; it must be there.</param>
    /// <param name="name">The authority's name, and that of its file.</param>
    public TestAuthority(string folder, string name = "authority")
    {
        _folder = folder;
        var request = new CertificateRequest($"CN={name}", _key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        _certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow - s_skew, DateTimeOffset.UtcNow.AddDays(60));
        File = Write($"{name}.crt", _certificate.ExportCertificatePem());
    }

    /// <summary>The file of its certificate.</summary>
    public string File { get; }

    /// <summary>Makes a certificate with its key for silos and clients, or for clients alone.</summary>
    /// <param name="name">Its subject, and the name of its files.</param>
    /// <param name="clientOnly">It is for clients, and not for silos.</param>
    /// <param name="validFor">From now; negative when it has expired.</param>
    /// <param name="file">Another name of the files, which are overwritten.</param>
    public CertificateFiles Issue(string name, bool clientOnly = false, TimeSpan? validFor = null, string? file = null)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension(
            clientOnly ? [new Oid(Client)] : [new Oid(Server), new Oid(Client)], false));
        var end = DateTimeOffset.UtcNow + (validFor ?? TimeSpan.FromDays(30));
        var begin = DateTimeOffset.UtcNow - s_skew;
        using var certificate = request.Create(
            _certificate.SubjectName, X509SignatureGenerator.CreateForECDsa(_key), begin < end ? begin : end - s_skew, end,
            RandomNumberGenerator.GetBytes(8));
        return new(
            Write($"{file ?? name}.crt", certificate.ExportCertificatePem()), Write($"{file ?? name}.key", key.ExportPkcs8PrivateKeyPem()),
            File);
    }

    public void Dispose()
    {
        _certificate.Dispose();
        _key.Dispose();
    }

    string Write(string name, string pem)
    {
        var path = Path.Combine(_folder, name);
        System.IO.File.WriteAllText(path, pem + "\n");
        return path;
    }
}

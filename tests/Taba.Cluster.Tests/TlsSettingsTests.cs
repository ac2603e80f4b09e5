using Microsoft.Extensions.Logging.Abstractions;
using Taba.Silo.Clusters;
using Taba.Silo.Tls;
using Taba.Testing;
using Taba.Testing.Clusters;

namespace Taba.Cluster.Tests;

/// <summary>Files of certificates: what is refused before anything starts, and what happens when they change.</summary>
public sealed class TlsSettingsTests : IDisposable
{
    readonly TempFolder _folder = new();
    readonly TestAuthority _authority;
    readonly CertificateFiles _good;

    public TlsSettingsTests()
    {
        _authority = new(_folder.Path);
        _good = _authority.Issue("w1");
    }

    [Fact]
    public void Read_FilesThatFit_AreOnAndSayWhoseUntilWhen()
    {
        var options = Read(_good);
        Assert.Contains("certificate of CN=w1, by CN=authority, valid until 2", options.Credentials!.Text, StringComparison.Ordinal);
        Assert.True(options.Credentials.IsForServers && options.Credentials.IsForClients);
    }

    [Fact]
    public void Read_CertificateForClientsAlone_IsNotForSilos()
    {
        var options = Read(_authority.Issue("c1", clientOnly: true));
        Assert.True(options.Credentials!.IsForClients);
        Assert.False(options.Credentials.IsForServers);
    }

    [Fact]
    public void Read_NoFiles_IsOff() => Assert.Null(ClusterSettings.Read(Settings([]), "lab").Credentials);

    [Fact]
    public void Read_OneFileOnly_SaysWhatElseIsNeeded() => Refused(
        "Taba:Clusters:lab:Tls:KeyFile: it is missing: TLS needs CertificateFile, KeyFile and AuthorityFile.", _good with { Key = "" });

    [Fact]
    public void Read_FileThatIsNotThere_NamesIt() => Refused(
        "Tls:CertificateFile: '/nowhere/tls.crt' cannot be read", _good with { Certificate = "/nowhere/tls.crt" });

    [Fact]
    public void Read_KeyOfAnother_IsRefused() => Refused("does not hold the key of the certificate in", _good with
    {
        Key = _authority.Issue("other").Key,
    });

    [Fact]
    public void Read_CertificateInPlaceOfTheKey_IsRefused() => Refused(
        "holds no private key in PEM", _good with { Key = _good.Certificate });

    [Fact]
    public void Read_KeyInPlaceOfTheCertificate_IsRefused() => Refused(
        "holds no certificate in PEM", _good with { Certificate = _good.Key });

    [Fact]
    public void Read_DamagedCertificate_IsRefused() => Refused("holds a certificate that cannot be read", _good with
    {
        Certificate = _folder.Write("bad.crt", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"u8),
    });

    [Fact]
    public void Read_EncryptedKey_SaysHowToGiveIt()
    {
        using var key = System.Security.Cryptography.ECDsa.Create();
        var pem = key.ExportEncryptedPkcs8PrivateKeyPem(
            "hidden-word", new(System.Security.Cryptography.PbeEncryptionAlgorithm.Aes256Cbc, new("SHA256"), 1));
        Refused("is encrypted: give the key without a passphrase", _good with { Key = _folder.Write("e.key", pem) });
    }

    [Fact]
    public void Read_ExpiredCertificate_SaysWhenItWas() => Refused(
        "of CN=old, expired on 2", _authority.Issue("old", validFor: TimeSpan.FromHours(-1)));

    [Fact]
    public void Read_CertificateOfAnotherAuthority_IsRefused()
    {
        using var other = new TestAuthority(_folder.Path, "other");
        Refused("does not go back to a certificate in", other.Issue("w2") with { Authority = _authority.File });
    }

    [Fact]
    public void Read_TwoAuthorities_TakesCertificatesOfBoth()
    {
        using var other = new TestAuthority(_folder.Path, "other");
        var both = _folder.Write("both.crt", File.ReadAllText(other.File) + File.ReadAllText(_authority.File));
        Assert.NotNull(Read(_good with { Authority = both }).Credentials);
        Assert.NotNull(Read(other.Issue("w2") with { Authority = both }).Credentials);
    }

    [Fact]
    public void Renewed_FilesThatChange_AreTakenOnceTheyFit()
    {
        var options = Read(_good);
        var renewed = new RenewedCredentials(
            options.Tls, options.TlsSection, options.Credentials!, TimeProvider.System, NullLogger.Instance);
        Assert.Equal("CN=w1", renewed.Now.Own.Subject);

        var key = File.ReadAllText(_good.Key);
        _authority.Issue("renewed", file: "w1");
        var newKey = File.ReadAllText(_good.Key);
        File.WriteAllText(_good.Key, key);
        Assert.Equal("CN=w1", renewed.Now.Own.Subject);
        File.Delete(_good.Key);
        Assert.Equal("CN=w1", renewed.Now.Own.Subject);
        File.WriteAllText(_good.Key, newKey);
        Assert.Equal("CN=renewed", renewed.Now.Own.Subject);
    }

    [Theory]
    [InlineData("127.0.0.1", false, false)]
    [InlineData("10.0.0.7", false, true)]
    [InlineData("10.0.0.7", true, false)]
    public void IsOpen_OtherMachinesAndNoTls_IsSo(string address, bool tls, bool open)
    {
        var settings = Settings(tls ? _good.Settings("lab") : []);
        settings["Taba:Clusters:lab:Address"] = address;
        Assert.Equal(open, ClusterSettings.Read(settings, "lab").IsOpen);
    }

    public void Dispose()
    {
        _authority.Dispose();
        _folder.Dispose();
    }

    static void Refused(string expected, CertificateFiles files)
    {
        var refused = Assert.Throws<BadInputException>(() => Read(files));
        Assert.Contains(expected, refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refused.Message);
        Assert.EndsWith(".", refused.Message, StringComparison.Ordinal);
    }

    static TabaClusterOptions Read(CertificateFiles files) => ClusterSettings.Read(Settings(files.Settings("lab")), "lab");

    static Dictionary<string, string?> Settings(Dictionary<string, string> more)
    {
        var settings = more.ToDictionary(p => p.Key.Replace("__", ":", StringComparison.Ordinal), p => (string?)p.Value);
        settings["Taba:Clusters:lab:ConnectionString"] = "Host=db";
        settings["Taba:Clusters:lab:Store"] = "/shared/taba";
        return settings;
    }
}

using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Taba.Diffusion.Weights.Hub;
using Taba.Testing;

namespace Taba.Diffusion.Tests.Weights.Hub;

/// <summary>A hub behind TLS, and what stands in its place: none of it is tried twice.</summary>
public sealed class HubTrustTests : IDisposable
{
    const string List = """{"sha":"cccccccccccccccccccccccccccccccccccccccc","siblings":[]}""";

    readonly TempFolder _folder = new();
    readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    readonly Dictionary<string, string> _variables = [];
    readonly List<string> _notices = [];
    int _connections;

    static HubTrustTests() => HttpClient.DefaultProxy = new WebProxy();

    public void Dispose()
    {
        _listener.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task List_UnknownAuthority_NamesTheVariableAndIsNotRetried()
    {
        Serve(Certificate("localhost"));
        var error = await RefusalAsync();
        Assert.Equal(HubFault.Unusable, error.Fault);
        Assert.False(error.MayContinue);
        Assert.Contains("the certificate of localhost is not trusted (UntrustedRoot)", error.Message, StringComparison.Ordinal);
        Assert.Contains("SSL_CERT_FILE", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("inner exception", error.Message, StringComparison.Ordinal);
        Assert.Empty(_notices);
        Assert.Equal(1, _connections);
    }

    [Fact]
    public async Task List_FileOfAuthoritiesThatIsNotThere_IsNamed()
    {
        Serve(Certificate("localhost"));
        _variables["SSL_CERT_FILE"] = "/nowhere/ca.pem";
        _variables["CURL_CA_BUNDLE"] = "/nowhere/curl.pem";
        var message = (await RefusalAsync()).Message;
        Assert.Contains("SSL_CERT_FILE names /nowhere/ca.pem, which is not there", message, StringComparison.Ordinal);
        Assert.Contains("CURL_CA_BUNDLE names /nowhere/curl.pem, which cannot be read", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("REQUESTS_CA_BUNDLE")]
    [InlineData("CURL_CA_BUNDLE")]
    public async Task List_AuthorityOfTheBundle_IsTrusted(string variable)
    {
        var certificate = Certificate("localhost");
        Serve(certificate);
        File.WriteAllText(_folder.At("ca.pem"), certificate.ExportCertificatePem());
        _variables["HOME"] = _folder.Path;
        _variables[variable] = "~/ca.pem";
        Assert.Empty((await ListAsync()).Files);
    }

    [Fact]
    public async Task List_BundleOfAnotherAuthority_IsNotTrusted()
    {
        Serve(Certificate("localhost"));
        File.WriteAllText(_folder.At("ca.pem"), Certificate("localhost").ExportCertificatePem());
        _variables["REQUESTS_CA_BUNDLE"] = _folder.At("ca.pem");
        Assert.Contains("is not trusted", (await RefusalAsync()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task List_CertificateOfAnotherName_IsRefusedEvenWithItsAuthority()
    {
        var certificate = Certificate("elsewhere");
        Serve(certificate);
        File.WriteAllText(_folder.At("ca.pem"), certificate.ExportCertificatePem());
        _variables["REQUESTS_CA_BUNDLE"] = _folder.At("ca.pem");
        Assert.Contains(
            "the certificate of localhost is of another name (CN=elsewhere)", (await RefusalAsync()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task List_TlsToAPlainPort_SaysSoAndIsNotRetried()
    {
        Serve(null);
        var error = await RefusalAsync();
        Assert.Equal(HubFault.Unusable, error.Fault);
        Assert.EndsWith("does not speak TLS: is its address http:// and not https://?", error.Message, StringComparison.Ordinal);
        Assert.Empty(_notices);
    }

    [Fact]
    public async Task List_PlainToATlsPort_IsNoSeeInnerException()
    {
        Serve(Certificate("localhost"));
        _variables["HF_ENDPOINT"] = $"http://localhost:{((IPEndPoint)_listener.LocalEndpoint).Port}";
        var message = (await RefusalAsync()).Message;
        Assert.DoesNotContain("inner exception", message, StringComparison.Ordinal);
        Assert.DoesNotContain("An error occurred while sending", message, StringComparison.Ordinal);
    }

    async Task<HubListing> ListAsync()
    {
        using var client = new HubClient(
            HubSettings.FromEnvironment(_variables.GetValueOrDefault), time: new InstantTime(),
            retry: new HubRetryOptions { Attempts = 3, Notice = _notices.Add });
        return await client.ListAsync(HubWorkbench.Tiny);
    }

    Task<HubException> RefusalAsync() => Assert.ThrowsAsync<HubException>(ListAsync);

    /// <summary>A certificate that signs itself, and so is its own authority.</summary>
    static X509Certificate2 Certificate(string host)
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest($"CN={host}", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(host);
        request.CertificateExtensions.Add(names.Build());
        var now = TimeProvider.System.GetUtcNow();
        using var made = request.CreateSelfSigned(now.AddHours(-1), now.AddHours(1));
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
    }

    async void Serve(X509Certificate2? certificate)
    {
        _listener.Start();
        _variables["HOME"] = _folder.Path;
        _variables["HF_ENDPOINT"] = $"https://localhost:{((IPEndPoint)_listener.LocalEndpoint).Port}";
        try
        {
            while (true)
            {
                using var client = await _listener.AcceptTcpClientAsync();
                Interlocked.Increment(ref _connections);
                await AnswerAsync(client, certificate);
            }
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // stopped
        }
    }

    static async Task AnswerAsync(TcpClient client, X509Certificate2? certificate)
    {
        try
        {
            var buffer = new byte[8192];
            if (certificate is null)
            {
                _ = await client.GetStream().ReadAsync(buffer);
                await client.GetStream().WriteAsync("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"u8.ToArray());
                return;
            }
            await using var stream = new SslStream(client.GetStream());
            await stream.AuthenticateAsServerAsync(certificate);
            await stream.ReadExactlyAsync(buffer.AsMemory(0, 4));
            _ = await stream.ReadAsync(buffer);
            await stream.WriteAsync(System.Text.Encoding.ASCII.GetBytes(
                $"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {List.Length}\r\n\r\n{List}"));
        }
        catch (Exception error) when (error is IOException or System.Security.Authentication.AuthenticationException)
        {
            // the client did not like it
        }
    }
}

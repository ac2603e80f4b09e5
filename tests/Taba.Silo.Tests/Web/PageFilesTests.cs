using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Text.RegularExpressions;

namespace Taba.Silo.Tests.Web;

/// <summary>The page's files over HTTP.</summary>
public sealed partial class PageFilesTests : IAsyncLifetime
{
    ShownSilo _silo = null!;

    public async ValueTask InitializeAsync() => _silo = await ShownSilo.StartAsync(ShownSilo.Token);

    public ValueTask DisposeAsync() => _silo.DisposeAsync();

    [Fact]
    public async Task Page_WithoutAToken_IsThereWithAllThatItNamesAndAStrictPolicy()
    {
        var page = await _silo.Client.GetAsync(_silo.Address);
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        Assert.Equal("text/html", page.Content.Headers.ContentType!.MediaType);
        var policy = Assert.Single(page.Headers.GetValues("Content-Security-Policy"));
        Assert.Contains("default-src 'none'; script-src 'self'; style-src 'self';", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        Assert.Contains("frame-ancestors 'none'", policy, StringComparison.Ordinal);
        Assert.Equal("nosniff", Assert.Single(page.Headers.GetValues("X-Content-Type-Options")));

        var found = new HashSet<string> { "index.html" };
        var open = new Queue<string>(found);
        while (open.TryDequeue(out var file))
        {
            using var answer = await _silo.Client.GetAsync(new Uri(_silo.Address, file));
            Assert.True(answer.StatusCode is HttpStatusCode.OK, $"{file}: {answer.StatusCode}");
            if (Path.GetExtension(file) is ".html" or ".js" && !file.StartsWith("vendor/", StringComparison.Ordinal))
            {
                foreach (Match named in Named().Matches(await answer.Content.ReadAsStringAsync()))
                {
                    if (found.Add(named.Groups["file"].Value))
                        open.Enqueue(named.Groups["file"].Value);
                }
            }
        }
        Assert.Contains("app.js", found);
        Assert.Contains("live.js", found);
        using var licence = await _silo.Client.GetAsync(new Uri(_silo.Address, "vendor/uPlot.LICENSE.txt"));
        Assert.Contains("MIT", await licence.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("br")]
    [InlineData("gzip")]
    [InlineData("")]
    public async Task File_AskedForInAnEncoding_ComesSoAndIsNotSentAgain(string encoding)
    {
        var plain = await _silo.Client.GetByteArrayAsync(new Uri(_silo.Address, "app.js"));

        using var first = await AskAsync(null);
        Assert.Equal(encoding, string.Join(",", first.Content.Headers.ContentEncoding));
        var sent = await first.Content.ReadAsByteArrayAsync();
        Assert.Equal(plain, Unpacked(encoding, sent));
        Assert.True(encoding.Length == 0 || sent.Length < plain.Length);

        using var second = await AskAsync(first.Headers.ETag);
        Assert.Equal(HttpStatusCode.NotModified, second.StatusCode);
        Assert.Empty(await second.Content.ReadAsByteArrayAsync());

        Task<HttpResponseMessage> AskAsync(EntityTagHeaderValue? known)
        {
            var request = new HttpRequestMessage(HttpMethod.Get, new Uri(_silo.Address, "app.js"));
            if (encoding.Length > 0)
                request.Headers.AcceptEncoding.Add(new(encoding));
            if (known is not null)
                request.Headers.IfNoneMatch.Add(known);
            return _silo.Client.SendAsync(request);
        }
    }

    [Fact]
    public async Task File_OfEachEncoding_HasATagOfItsOwn()
    {
        var tags = new HashSet<string>();
        foreach (var encoding in new[] { "br", "gzip", "identity" })
        {
            var request = new HttpRequestMessage(HttpMethod.Get, new Uri(_silo.Address, "app.js"));
            request.Headers.AcceptEncoding.Add(new(encoding));
            using var answer = await _silo.Client.SendAsync(request);
            Assert.True(tags.Add(answer.Headers.ETag!.Tag));
        }
    }

    [Theory]
    [InlineData("nothing.js")]
    [InlineData("vendor/")]
    [InlineData("vendor")]
    [InlineData("pages/app.js")]
    [InlineData("..%2f..%2fetc%2fpasswd")]
    [InlineData("app.js.map")]
    public async Task File_ThatIsNotThere_IsNotOpenToAllAndIsNotFoundWithTheToken(string path)
    {
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync());
        _silo.SignIn();
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync());

        // As it is: a client would tidy the path up.
        async Task<HttpStatusCode> StatusAsync()
        {
            using var answer = await _silo.Client.GetAsync(new Uri(_silo.Address + path, new UriCreationOptions
            {
                DangerousDisablePathAndQueryCanonicalization = true,
            }));
            return answer.StatusCode;
        }
    }

    static byte[] Unpacked(string encoding, byte[] sent)
    {
        using var stream = new MemoryStream(sent);
        using var unpacked = new MemoryStream();
        using Stream? reader = encoding switch
        {
            "br" => new BrotliStream(stream, CompressionMode.Decompress),
            "gzip" => new GZipStream(stream, CompressionMode.Decompress),
            _ => stream,
        };
        reader.CopyTo(unpacked);
        return unpacked.ToArray();
    }

    [GeneratedRegex("""(?:from '\./|import\('\./|(?:src|href)="|(?:src|href): ')(?<file>[\w./-]+\.(?:js|css|svg))""")]
    private static partial Regex Named();
}

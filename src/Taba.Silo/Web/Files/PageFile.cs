using System.IO.Compression;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Taba.Silo.Web.Files;

/// <summary>A file of the page, held in memory: as it is, and compressed when somebody first asks for it so.</summary>
sealed class PageFile(string contentType, byte[] bytes) : IResult
{
    const int TagDigits = 16;

    /// <summary>What the page may load: its own files, and pictures that it makes itself.</summary>
    const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; "
        + "base-uri 'none'; form-action 'self'";

    readonly string _digest = Convert.ToHexStringLower(SHA256.HashData(bytes))[..TagDigits];
    readonly Lazy<byte[]> _brotli = new(() => Compress(bytes, s => new BrotliStream(s, CompressionLevel.SmallestSize)));
    readonly Lazy<byte[]> _gzip = new(() => Compress(bytes, s => new GZipStream(s, CompressionLevel.SmallestSize)));

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var (request, response) = (httpContext.Request, httpContext.Response);
        var (encoding, content) = Choose(request.GetTypedHeaders().AcceptEncoding);
        var tag = new EntityTagHeaderValue($"\"{_digest}{(encoding is null ? "" : $"-{encoding}")}\"");
        var headers = response.GetTypedHeaders();
        headers.ETag = tag;
        response.Headers.CacheControl = "no-cache";
        response.Headers.Vary = "Accept-Encoding";
        response.Headers.ContentSecurityPolicy = Policy;
        if (request.GetTypedHeaders().IfNoneMatch.Any(t => t.Compare(tag, useStrongComparison: false)))
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }
        response.ContentType = contentType;
        response.ContentLength = content.Length;
        if (encoding is not null)
            response.Headers.ContentEncoding = encoding;
        if (!HttpMethods.IsHead(request.Method))
            await response.Body.WriteAsync(content, httpContext.RequestAborted);
    }

    (string? Encoding, byte[] Content) Choose(IList<StringWithQualityHeaderValue> accepted)
    {
        if (Accepts("br") && _brotli.Value.Length < bytes.Length)
            return ("br", _brotli.Value);
        return Accepts("gzip") && _gzip.Value.Length < bytes.Length ? ("gzip", _gzip.Value) : (null, bytes);

        bool Accepts(string encoding) => accepted.Any(a => a.Value == encoding && a.Quality is null or > 0);
    }

    static byte[] Compress(byte[] bytes, Func<Stream, Stream> open)
    {
        using var compressed = new MemoryStream();
        using (var stream = open(compressed))
            stream.Write(bytes);
        return compressed.ToArray();
    }
}

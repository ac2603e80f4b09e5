using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Taba.Silo.Web.Json;

namespace Taba.Silo.Web.Access;

/// <summary>
/// Lets through who shows the token, or the cookie that it was exchanged for, and who asks for what is open to all. Where no token is
/// asked for, on loopback, a request must name this machine: a page of another site, whose name its owner lets resolve to 127.0.0.1, must
/// not read through the user's browser. To stand between routing and the pages: what has no page of its own is not open.
/// </summary>
sealed class Gate(string? token, TimeProvider time)
{
    const string Scheme = "Bearer ";

    readonly byte[]? _expected = token is null ? null : Digest(token);
    readonly Sessions? _sessions = token is null ? null : new(token, time);
    readonly WrongTokens _wrong = new(time);

    public bool NeedsToken => _expected is not null;

    public Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        var headers = context.Response.Headers;
        headers.CacheControl = "no-store";
        headers.XContentTypeOptions = "nosniff";
        headers.ContentSecurityPolicy = "default-src 'none'; frame-ancestors 'none'";
        headers["Referrer-Policy"] = "no-referrer";
        // Also a picture or a script of ours is nothing for another site's page.
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        if (!NeedsToken && !IsThisMachine(context.Request.Host.Host))
            return Answers.ErrorAsync(context, StatusCodes.Status403Forbidden, "ask for localhost or 127.0.0.1, not for another name");
        if (!IsOfThisPage(context.Request))
            return Answers.ErrorAsync(context, StatusCodes.Status403Forbidden, "a page of another site asks for this: nothing is changed");
        if (!NeedsToken || context.GetEndpoint()?.Metadata.GetMetadata<OpenToAll>() is not null || HasSession(context))
            return next(context);
        return Refusal(context, Bearer(context)) is { } refusal ? refusal.ExecuteAsync(context) : next(context);
    }

    /// <summary>True when whoever asks would be let in.</summary>
    public bool IsIn(HttpContext context) =>
        !NeedsToken || HasSession(context) || (Bearer(context) is { } given && Refusal(context, given) is null);

    /// <summary>Exchanges the token for a cookie: a browser's event stream sends no other header.</summary>
    public Answer? SignIn(HttpContext context, string given)
    {
        if (!NeedsToken)
            return null;
        if (Refusal(context, given) is { } refusal)
            return refusal;
        _sessions!.Begin(context);
        return null;
    }

    bool HasSession(HttpContext context) => _sessions?.Has(context.Request) ?? false;

    Answer? Refusal(HttpContext context, string? given)
    {
        var address = context.Connection.RemoteIpAddress ?? IPAddress.None;
        if (given is not null && !_wrong.MayTry(address))
        {
            context.Response.Headers.RetryAfter = new StringValues($"{WrongTokens.Window.TotalSeconds:0}");
            return Answers.Error(
                StatusCodes.Status429TooManyRequests, "too many wrong tokens came from this address: ask again in a minute");
        }
        if (given is not null && CryptographicOperations.FixedTimeEquals(Digest(given), _expected))
            return null;
        if (given is not null)
            _wrong.Add(address);
        context.Response.Headers.WWWAuthenticate = "Bearer";
        return Answers.Error(
            StatusCodes.Status401Unauthorized, "show the token of Taba:Web:Token: the header Authorization: Bearer TOKEN");
    }

    static string? Bearer(HttpContext context) =>
        context.Request.Headers.Authorization.ToString() is var given && given.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
            ? given[Scheme.Length..].Trim()
            : null;

    /// <summary>
    /// Whether a change is asked for by our own page, or by no page at all: a browser names the page's origin, and sends cookies without
    /// being asked. What changes nothing anybody may ask for, since a browser shows the answer to our own pages only.
    /// </summary>
    static bool IsOfThisPage(HttpRequest request)
    {
        if (HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method))
            return true;
        var origin = request.Headers.Origin.ToString();
        return origin.Length == 0
            ? !request.Cookies.ContainsKey(Sessions.Cookie)
            : Uri.TryCreate(origin, UriKind.Absolute, out var page)
                && page.Host.Equals(request.Host.Host, StringComparison.OrdinalIgnoreCase)
                && page.Port == (request.Host.Port ?? UsualPort(page));
    }

    static int UsualPort(Uri page) => page.Scheme == Uri.UriSchemeHttps ? 443 : 80;

    static bool IsThisMachine(string host) =>
        host is "localhost" || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));

    static byte[] Digest(string given) => SHA256.HashData(Encoding.UTF8.GetBytes(given));
}

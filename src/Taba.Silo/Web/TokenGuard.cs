using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Taba.Silo.Web;

/// <summary>
/// Lets through who shows the token. Where none is asked for, on loopback, a request must name this machine: a page of another site, whose
/// name its owner lets resolve to 127.0.0.1, must not read through the user's browser.
/// </summary>
sealed class TokenGuard(string? token)
{
    const string Scheme = "Bearer ";

    readonly byte[]? _expected = token is null ? null : SHA256.HashData(Encoding.UTF8.GetBytes(token));

    public Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers.XContentTypeOptions = "nosniff";
        context.Response.Headers.ContentSecurityPolicy = "default-src 'none'; frame-ancestors 'none'";
        if (_expected is null)
            return IsThisMachine(context.Request.Host.Host)
                ? next(context)
                : Answers.ErrorAsync(context, StatusCodes.Status403Forbidden, "ask for localhost or 127.0.0.1, not for another name");
        var given = context.Request.Headers.Authorization.ToString();
        if (given.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
            && CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.UTF8.GetBytes(given[Scheme.Length..].Trim())), _expected))
            return next(context);
        context.Response.Headers.WWWAuthenticate = "Bearer";
        return Answers.ErrorAsync(
            context, StatusCodes.Status401Unauthorized, "show the token of Taba:Web:Token: the header Authorization: Bearer TOKEN");
    }

    static bool IsThisMachine(string host) =>
        host is "localhost" || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));
}

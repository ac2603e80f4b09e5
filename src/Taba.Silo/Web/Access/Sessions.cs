using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Taba.Silo.Web.Access;

/// <summary>
/// Sessions of browsers: a cookie of an end, random bytes, and their authentication code under a key that follows from the token. No silo
/// has to remember it, so it holds with every silo that has the token, also with one that was started again. Another token ends them all.
/// </summary>
sealed class Sessions(string token, TimeProvider time)
{
    public const string Cookie = "taba_session";

    const int EndBytes = sizeof(long);
    const int RandomBytes = 16;
    const int Bytes = EndBytes + RandomBytes + HMACSHA256.HashSizeInBytes;

    /// <summary>A sweep runs for days, and whoever watches it does not want to be asked every morning.</summary>
    static readonly TimeSpan s_lifetime = TimeSpan.FromDays(7);

    readonly byte[] _key = HMACSHA256.HashData(Encoding.UTF8.GetBytes(token), "taba dashboard session"u8);

    /// <summary>Gives whoever asks a new one.</summary>
    public void Begin(HttpContext context)
    {
        Span<byte> session = stackalloc byte[Bytes];
        BinaryPrimitives.WriteInt64BigEndian(session, (time.GetUtcNow() + s_lifetime).ToUnixTimeSeconds());
        RandomNumberGenerator.Fill(session.Slice(EndBytes, RandomBytes));
        HMACSHA256.HashData(_key, session[..(EndBytes + RandomBytes)], session[(EndBytes + RandomBytes)..]);
        context.Response.Cookies.Append(Cookie, Base64Url.EncodeToString(session), Options(context, s_lifetime));
    }

    /// <summary>Takes the cookie away from a browser.</summary>
    public static void End(HttpContext context) => context.Response.Cookies.Append(Cookie, "", Options(context, TimeSpan.Zero));

    /// <summary>True when a request comes with one of ours that has not ended.</summary>
    public bool Has(HttpRequest request)
    {
        Span<byte> session = stackalloc byte[Bytes];
        Span<byte> code = stackalloc byte[HMACSHA256.HashSizeInBytes];
        if (request.Cookies[Cookie] is not { } text || !Base64Url.IsValid(text, out var length) || length != Bytes)
            return false;
        Base64Url.DecodeFromChars(text, session);
        HMACSHA256.HashData(_key, session[..(EndBytes + RandomBytes)], code);
        return CryptographicOperations.FixedTimeEquals(code, session[(EndBytes + RandomBytes)..])
            && BinaryPrimitives.ReadInt64BigEndian(session) > time.GetUtcNow().ToUnixTimeSeconds();
    }

    static CookieOptions Options(HttpContext context, TimeSpan lifetime) => new()
    {
        HttpOnly = true,
        SameSite = SameSiteMode.Strict,
        Path = "/",
        MaxAge = lifetime,
        // Behind a proxy with TLS the browser must not show it to a server without.
        Secure = context.Request.IsHttps || context.Request.Headers["X-Forwarded-Proto"].ToString() == "https",
    };
}

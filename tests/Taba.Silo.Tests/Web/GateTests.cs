using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Taba.Silo.Web.Access;

namespace Taba.Silo.Tests.Web;

public sealed class GateTests
{
    const string Token = "a-token-of-this-test";

    readonly FakeTimeProvider _time = new();

    [Theory]
    [InlineData(Token, "Bearer a-token-of-this-test", "anything", 200)]
    [InlineData(Token, "bearer a-token-of-this-test", "anything", 200)]
    [InlineData(Token, "", "127.0.0.1", 401)]
    [InlineData(Token, "Bearer ", "127.0.0.1", 401)]
    [InlineData(Token, "Bearer a-token-of-this-tes", "127.0.0.1", 401)]
    [InlineData(Token, "Basic a-token-of-this-test", "127.0.0.1", 401)]
    [InlineData(null, "", "localhost:8080", 200)]
    [InlineData(null, "", "127.0.0.1:8080", 200)]
    [InlineData(null, "", "[::1]:8080", 200)]
    [InlineData(null, "", "evil.example", 403)]
    [InlineData(null, "", "localhost.evil.example", 403)]
    [InlineData(null, "", "10.0.0.1", 403)]
    public async Task InvokeAsync_ARequest_PassesOnlyWithTheTokenOrToThisMachine(
        string? token, string authorization, string host, int status) =>
        Assert.Equal(status, await AskAsync(new Gate(token, _time), r =>
        {
            r.Headers.Authorization = authorization;
            r.Host = new(host);
        }));

    [Theory]
    [InlineData("http://localhost:8080", "localhost:8080", 200)]
    [InlineData("https://taba.example", "taba.example", 200)]
    [InlineData("https://taba.example:443", "taba.example", 200)]
    [InlineData("https://taba.example", "taba.example:443", 200)]
    [InlineData("http://localhost:8081", "localhost:8080", 403)]
    [InlineData("https://evil.example", "taba.example", 403)]
    [InlineData("https://taba.example.evil.example", "taba.example", 403)]
    [InlineData("null", "taba.example", 403)]
    [InlineData("taba.example", "taba.example", 403)]
    public async Task InvokeAsync_AChangeWithAnOrigin_PassesOnlyFromItsOwnPage(string origin, string host, int status) =>
        Assert.Equal(status, await AskAsync(new Gate(Token, _time), r =>
        {
            r.Method = "POST";
            r.Headers.Authorization = $"Bearer {Token}";
            r.Headers.Origin = origin;
            r.Host = new(host);
        }));

    [Fact]
    public async Task InvokeAsync_AChangeWithoutAnOrigin_PassesUnlessACookieCameAlong()
    {
        var gate = new Gate(Token, _time);

        Assert.Equal(200, await AskAsync(gate, r => Change(r, "")));
        Assert.Equal(403, await AskAsync(gate, r => Change(r, $"{Sessions.Cookie}={Cookie(Token)}")));

        static void Change(HttpRequest request, string cookie)
        {
            request.Method = "POST";
            request.Headers.Authorization = $"Bearer {Token}";
            if (cookie.Length > 0)
                request.Headers.Cookie = cookie;
        }
    }

    [Fact]
    public async Task InvokeAsync_ACookie_PassesUntilItsEndAndWithItsTokenOnly()
    {
        var gate = new Gate(Token, _time);
        var cookie = Cookie(Token);

        Assert.Equal(200, await AskAsync(gate, r => r.Headers.Cookie = $"{Sessions.Cookie}={cookie}"));
        // Another silo of the same token, or this one started again.
        Assert.Equal(200, await AskAsync(new Gate(Token, _time), r => r.Headers.Cookie = $"{Sessions.Cookie}={cookie}"));
        Assert.Equal(
            401, await AskAsync(new Gate("another-token-of-this-test", _time), r => r.Headers.Cookie = $"{Sessions.Cookie}={cookie}"));
        _time.Advance(TimeSpan.FromDays(8));
        Assert.Equal(401, await AskAsync(gate, r => r.Headers.Cookie = $"{Sessions.Cookie}={cookie}"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("x")]
    [InlineData("AAAA")]
    [InlineData("later")]
    [InlineData("changed")]
    public async Task InvokeAsync_ACookieThatNobodyGave_IsRefused(string kind)
    {
        var own = Cookie(Token).ToCharArray();
        if (kind is "later")
            own[0] = own[0] == 'A' ? 'B' : 'A';
        if (kind is "changed")
            own[^1] = own[^1] == 'A' ? 'Q' : 'A';
        var cookie = kind is "later" or "changed" ? new string(own) : kind;

        Assert.Equal(401, await AskAsync(new Gate(Token, _time), r => r.Headers.Cookie = $"{Sessions.Cookie}={cookie}"));
    }

    [Fact]
    public async Task InvokeAsync_ManyWrongTokens_AreNotTriedAnyMoreForAMinute()
    {
        var gate = new Gate(Token, _time);
        for (var i = 0; i < WrongTokens.MostInAWindow; i++)
            Assert.Equal(401, await AskAsync(gate, r => r.Headers.Authorization = $"Bearer wrong-{i}"));

        Assert.Equal(429, await AskAsync(gate, r => r.Headers.Authorization = $"Bearer {Token}"));
        // Who is signed in is not locked out, and who shows nothing has tried nothing.
        Assert.Equal(200, await AskAsync(gate, r => r.Headers.Cookie = $"{Sessions.Cookie}={Cookie(Token)}"));
        Assert.Equal(401, await AskAsync(gate, _ => { }));
        _time.Advance(WrongTokens.Window);
        Assert.Equal(200, await AskAsync(gate, r => r.Headers.Authorization = $"Bearer {Token}"));
    }

    string Cookie(string token)
    {
        var context = Context();
        new Sessions(token, _time).Begin(context);
        var set = Assert.Single(context.Response.Headers.SetCookie)!;
        foreach (var mark in new[] { "httponly", "samesite=strict", "path=/" })
            Assert.Contains(mark, set, StringComparison.OrdinalIgnoreCase);
        return set.Split('=', 2)[1].Split(';')[0];
    }

    static async Task<int> AskAsync(Gate gate, Action<HttpRequest> shape)
    {
        var context = Context();
        shape(context.Request);
        var passed = false;
        await gate.InvokeAsync(context, _ =>
        {
            passed = true;
            return Task.CompletedTask;
        });
        Assert.Equal(passed, context.Response.StatusCode == 200);
        return context.Response.StatusCode;
    }

    static DefaultHttpContext Context() => new()
    {
        RequestServices = new ServiceCollection().AddLogging().BuildServiceProvider(),
        Request = { Method = "GET", Host = new("taba.example"), Scheme = "http" },
    };
}

using System.Net;
using System.Net.Http.Json;
using System.Text;

namespace Taba.Silo.Tests.Web;

/// <summary>Signing in over HTTP, as a browser does.</summary>
public sealed class SessionPagesTests : IAsyncLifetime
{
    ShownSilo _silo = null!;

    public async ValueTask InitializeAsync() => _silo = await ShownSilo.StartAsync(ShownSilo.Token);

    public ValueTask DisposeAsync() => _silo.DisposeAsync();

    [Fact]
    public async Task Session_FromTokenToSignOut_OpensAndClosesEverything()
    {
        using var browser = new HttpClient(new HttpClientHandler { CookieContainer = new() }) { BaseAddress = _silo.Address };
        var origin = _silo.Address.GetLeftPart(UriPartial.Authority);

        Assert.StartsWith(
            "{\"tokenNeeded\":true,\"signedIn\":false,", await browser.GetStringAsync("api/session"), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Unauthorized, (await browser.GetAsync("api/sweeps")).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await SignInAsync("a-wrong-token-of-this-test")).StatusCode);

        Assert.Equal(HttpStatusCode.NoContent, (await SignInAsync(ShownSilo.Token)).StatusCode);
        Assert.StartsWith(
            "{\"tokenNeeded\":true,\"signedIn\":true,", await browser.GetStringAsync("api/session"), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await browser.GetAsync("api/sweeps")).StatusCode);
        // What EventSource asks for.
        using (var stream = await browser.GetAsync("api/events", HttpCompletionOption.ResponseHeadersRead))
        {
            Assert.Equal("text/event-stream", stream.Content.Headers.ContentType!.MediaType);
            Assert.Equal("no", Assert.Single(stream.Headers.GetValues("X-Accel-Buffering")));
        }

        Assert.Equal(HttpStatusCode.NoContent, (await SendAsync(HttpMethod.Delete, null)).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await browser.GetAsync("api/sweeps")).StatusCode);

        Task<HttpResponseMessage> SignInAsync(string token) => SendAsync(HttpMethod.Post, JsonContent.Create(new { token }));

        Task<HttpResponseMessage> SendAsync(HttpMethod method, HttpContent? content)
        {
            var request = new HttpRequestMessage(method, "api/session") { Content = content };
            request.Headers.Add("Origin", origin);
            return browser.SendAsync(request);
        }
    }

    [Theory]
    [InlineData("application/json", "{")]
    [InlineData("application/json", "{}")]
    [InlineData("application/json", "[1]")]
    [InlineData("application/json", "{\"token\": 7}")]
    [InlineData("text/plain", "{\"token\": \"a-token-of-this-test\"}")]
    [InlineData("application/x-www-form-urlencoded", "token=a-token-of-this-test")]
    public async Task Session_OfWhatIsNoToken_IsRefusedWithASentence(string type, string body)
    {
        using var answer = await _silo.Client.PostAsync("api/session", new StringContent(body, Encoding.UTF8, type));

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains("\"error\":\"send {", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Session_FromAnotherSite_IsRefused()
    {
        var token = JsonContent.Create(new { token = ShownSilo.Token });
        var request = new HttpRequestMessage(HttpMethod.Post, "api/session") { Content = token };
        request.Headers.Add("Origin", "https://evil.example");

        using var answer = await _silo.Client.SendAsync(request);

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.False(answer.Headers.Contains("Set-Cookie"));
    }
}

using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Taba.Silo.Web;

namespace Taba.Silo.Tests.Web;

public sealed class TokenGuardTests
{
    const string Token = "a-token-of-this-test";

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
        string? token, string authorization, string host, int status)
    {
        var context = new DefaultHttpContext { RequestServices = new ServiceCollection().AddLogging().BuildServiceProvider() };
        context.Request.Headers.Authorization = authorization;
        context.Request.Host = new(host);
        var passed = false;

        await new TokenGuard(token).InvokeAsync(context, _ =>
        {
            passed = true;
            return Task.CompletedTask;
        });

        Assert.Equal((status, status == 200), (context.Response.StatusCode, passed));
    }
}

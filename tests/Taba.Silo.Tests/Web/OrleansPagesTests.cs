using System.Net;
using System.Text.RegularExpressions;

namespace Taba.Silo.Tests.Web;

/// <summary>The dashboard of Orleans behind our gate.</summary>
public sealed partial class OrleansPagesTests
{
    [Fact]
    public async Task Orleans_WhenItIsAskedFor_IsBehindTheTokenWithAPolicyThatItsPageKeeps()
    {
        await using var silo = await ShownSilo.StartAsync(
            ShownSilo.Token, new KeyValuePair<string, string?>("Taba:Web:OrleansDashboard", "true"));
        Assert.Equal(HttpStatusCode.Unauthorized, (await silo.Client.GetAsync("orleans/")).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await silo.Client.GetAsync("orleans/DashboardCounters")).StatusCode);
        silo.SignIn();

        using var page = await silo.Client.GetAsync("orleans/");
        var html = await page.Content.ReadAsStringAsync();
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        Assert.Contains("script-src 'self';", Assert.Single(page.Headers.GetValues("Content-Security-Policy")), StringComparison.Ordinal);
        Assert.DoesNotMatch(InlineScript(), html);
        Assert.DoesNotContain("//", html.Replace("http://www.w3.org", "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.True((await silo.Client.GetAsync("orleans/DashboardCounters")).IsSuccessStatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, (await silo.Client.GetAsync("orleans/Trace")).StatusCode);
    }

    [Fact]
    public async Task Orleans_WhenNobodyAsksForIt_IsNotThere()
    {
        await using var silo = await ShownSilo.StartAsync();

        Assert.Equal(HttpStatusCode.NotFound, (await silo.Client.GetAsync("orleans/")).StatusCode);
    }

    [GeneratedRegex(@"<script(?![^>]*\bsrc=)", RegexOptions.IgnoreCase)]
    private static partial Regex InlineScript();
}

using Taba.Testing.Servers;

namespace Taba.Browser.Tests;

/// <summary>The dashboard as its readers meet it: real silos, a real sweep, a real browser.</summary>
public sealed class DashboardTests(Dashboard dashboard) : IClassFixture<Dashboard>
{
    /// <summary>What is out, by the names of the silos that have it: the rows of each part.</summary>
    const string Out = "[...document.querySelectorAll('.leases tbody tr')].map(r => [...r.cells].map(c => c.innerText))"
        + ".map(([rows, stage, host]) => ({ rows, stage, host }))";

    [Fact]
    public async Task Token_WrongThenRight_IsRefusedThenOpensThePage()
    {
        var page = await dashboard.OpenAsync("#/devices");
        await page.UntilAsync("document.activeElement?.id === 'token'");

        await page.TypeAsync("not-the-token-of-the-tests");
        await page.PressAsync("Enter");
        await page.SaysAsync("That is not the token of this cluster");
        Assert.DoesNotContain("w1", await page.TextAsync("body"), StringComparison.Ordinal);

        await page.TypeAsync(Dashboard.Token);
        await page.PressAsync("Enter");
        await page.IsLiveAsync();
        await page.SaysAsync("w1");
        Assert.Equal("", (await page.AskAsync("document.cookie")).GetString());
        var refusal = Assert.Single(page.Complaints);
        Assert.Contains("401", refusal, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sweep_SubmittedPausedAndItsSiloKilled_IsSeenToItsEnd()
    {
        var page = await dashboard.EnterAsync("#/");
        Assert.DoesNotContain("token", (await page.AskAsync("location.href")).GetString(), StringComparison.Ordinal);
        var client = dashboard.Submit("watched", samples: 96);

        await page.ClickAsync("[...document.querySelectorAll('a')].find(a => a.innerText === 'watched')");
        await page.UntilAsync("document.querySelectorAll('.cells i.running').length > 0", Dashboard.Limit);

        await page.ClickAsync(BrowserPage.Button("Pause"));
        await page.UntilAsync("document.querySelector('main .state').innerText === 'paused'");
        await page.UntilAsync($"{BrowserPage.Button("Pause")}.disabled && !{BrowserPage.Button("Resume")}.disabled");
        await page.UntilAsync($"!{Out}.length || !document.querySelector('.leases').getClientRects().length", Dashboard.Limit);
        await page.ClickAsync(BrowserPage.Button("Resume"));
        await page.UntilAsync("document.querySelector('main .state').innerText === 'running'");

        await page.UntilAsync($"new Set({Out}.map(l => l.host)).size === 2", Dashboard.Limit);
        dashboard.Cluster.Silos["w2"].Kill();
        // Who computes the lost part again shows only as long as it takes, which may be less than until the page's next look.
        await page.SaysAsync("Lost with silo w2: ", Dashboard.Limit);
        await page.SaysAsync("handed out again");
        await page.SaysAsync("lost lease", Dashboard.Limit);
        await dashboard.Cluster.StartSiloAsync("w2");

        await page.UntilAsync("document.querySelector('main .state').innerText === 'completed'", Dashboard.Limit);
        Assert.Equal("100 %", await page.TextAsync(".big"));
        Assert.Equal(0, (await client.EndAsync(Dashboard.Limit)).Status);
        // The client that wrote the folders told their metrics.
        await page.SaysAsync("reconstruction error images");

        await page.UntilAsync(
            "[...document.querySelectorAll('.sample img')].filter(i => i.naturalWidth === 32).length === 36", Dashboard.Limit);
        await page.ClickAsync("document.querySelector('.sample')");
        await page.UntilAsync("[...document.querySelectorAll('dialog[open] img')].filter(i => i.naturalWidth).length === 3");
        await page.PressAsync("ArrowRight");
        await page.UntilAsync("document.querySelector('dialog[open] h2').innerText === 'Sample 1'");
        await page.PressAsync("Escape");
        await page.UntilAsync("!document.querySelector('dialog') && document.activeElement.dataset.row === '1'");
        Assert.Empty(page.Complaints);
    }

    /// <summary>What the other tests rely on when they ask for a console without complaints.</summary>
    [Fact]
    public async Task Policy_OfThePage_ForbidsWhatIsNotItsOwnAndIsHeardOf()
    {
        var page = await dashboard.EnterAsync("#/");

        await page.AskAsync("""
            (() => {
              const rule = document.createElement('style');
              rule.textContent = 'body { display: none }';
              const script = document.createElement('script');
              script.textContent = 'window.wasRun = true';
              document.head.append(rule, script, Object.assign(new Image(), { src: 'http://127.0.0.2:9/picture.png' }));
            })()
            """);

        await page.UntilAsync("getComputedStyle(document.body).display === 'block' && !window.wasRun");
        await page.HeardAsync("script-src");
        await page.HeardAsync("style-src");
        await page.HeardAsync("img-src");
    }

    [Fact]
    public async Task Server_KilledAndStartedAgain_PageComesBackByItself()
    {
        var page = await dashboard.EnterAsync("#/devices");
        await page.SaysAsync("w1");

        await dashboard.KillCoordinatorAsync();
        await page.SaysAsync("Server gone");
        await page.SaysAsync("What is below was so at");
        await dashboard.StartCoordinatorAsync();

        await page.IsLiveAsync();
        await page.UntilAsync("document.getElementById('notice').hidden");
        await page.SaysAsync("w1");
        Assert.All(page.Complaints, said => Assert.Contains("net::ERR_", said, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Run_WithDashboardToItsEnd_PageSaysThatTheCommandHasEnded()
    {
        var port = ServerProgram.FreePort();
        var command = dashboard.Run("embedded", samples: 16, port);
        var address = $"http://127.0.0.1:{port}/";
        using var http = new HttpClient();
        await ServerProgram.ReadyAsync("The command", async () => (await http.GetAsync(address)).IsSuccessStatusCode);
        var page = await dashboard.OpenAtAsync(address);
        await page.ClickAsync("[...document.querySelectorAll('a')].find(a => a.innerText === 'embedded')");

        Assert.Equal(0, (await command.EndAsync(Dashboard.Limit)).Status);
        await page.SaysAsync("The command has ended");
        await page.UntilAsync("document.getElementById('link').dataset.state === 'ended'");
        await page.SaysAsync("embedded");
        Assert.All(page.Complaints, said => Assert.Contains("net::ERR_", said, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Pages_OnAPhoneInEitherLight_HaveNoSideScrollAndTheirPaper()
    {
        Assert.Equal(0, (await dashboard.Submit("narrow", samples: 8).EndAsync(Dashboard.Limit)).Status);
        foreach (var dark in new[] { false, true })
        {
            var page = await dashboard.EnterAsync("#/", width: 400, dark);
            await page.UntilAsync("document.querySelector('.sweeps td')");
            await AssertFitsAsync(page, dark);
            await page.ClickAsync("[...document.querySelectorAll('a')].find(a => a.innerText === 'narrow')");
            await page.UntilAsync("[...document.querySelectorAll('.sample img')].some(i => i.naturalWidth)");
            await AssertFitsAsync(page, dark);
            await page.AskAsync("location.hash = '#/devices'");
            await page.UntilAsync("document.querySelectorAll('.device .u-over').length === 2");
            await AssertFitsAsync(page, dark);
            Assert.Empty(page.Complaints);
        }
    }

    static async Task AssertFitsAsync(BrowserPage page, bool dark)
    {
        Assert.InRange((await page.AskAsync("document.documentElement.scrollWidth")).GetInt32(), 300, 400);
        var red = (await page.AskAsync("Number(getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0])")).GetInt32();
        Assert.True(dark ? red < 64 : red > 192, $"the red of the paper is {red}");
    }
}

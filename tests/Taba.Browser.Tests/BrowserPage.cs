using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;

namespace Taba.Browser.Tests;

/// <summary>A page in a browser of its own: no cookie and no cache is shared with another. Keys and clicks are those of a user.</summary>
sealed class BrowserPage
{
    static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);
    static readonly TimeSpan s_lookEvery = TimeSpan.FromMilliseconds(50);

    readonly DevTools _tools;
    readonly string _session;

    BrowserPage(DevTools tools, string session)
    {
        (_tools, _session) = (tools, session);
        tools.Told += Hear;
    }

    /// <summary>Errors and warnings of the console: exceptions, what the policy of contents forbids, requests that failed.</summary>
    public ConcurrentQueue<string> Complaints { get; } = new();

    public static async Task<BrowserPage> OpenAsync(DevTools tools, string url, int width = 1200, int height = 800, bool dark = false)
    {
        var context = (await tools.SendAsync("Target.createBrowserContext")).GetProperty("browserContextId").GetString();
        var target = await tools.SendAsync("Target.createTarget", new { url = "about:blank", browserContextId = context });
        var attached = await tools.SendAsync(
            "Target.attachToTarget", new { targetId = target.GetProperty("targetId").GetString(), flatten = true });
        var page = new BrowserPage(tools, attached.GetProperty("sessionId").GetString()!);
        foreach (var domain in new[] { "Page", "Runtime", "Log" })
            await page.SendAsync($"{domain}.enable");
        await page.SizeAsync(width, height);
        await page.SendAsync("Emulation.setEmulatedMedia", new
        {
            features = new[] { new { name = "prefers-color-scheme", value = dark ? "dark" : "light" } },
        });
        await page.GoAsync(url);
        return page;
    }

    public Task GoAsync(string url) => SendAsync("Page.navigate", new { url });

    public Task SizeAsync(int width, int height) =>
        SendAsync("Emulation.setDeviceMetricsOverride", new { width, height, deviceScaleFactor = 1, mobile = false });

    /// <summary>The value of an expression in the page.</summary>
    public async Task<JsonElement> AskAsync(string expression)
    {
        var answer = await SendAsync("Runtime.evaluate", new { expression, awaitPromise = true, returnByValue = true });
        if (answer.TryGetProperty("exceptionDetails", out var wrong))
            throw new InvalidOperationException($"{expression}: {wrong}");
        return answer.GetProperty("result").TryGetProperty("value", out var value) ? value : default;
    }

    public async Task<string> TextAsync(string selector) =>
        (await AskAsync($"document.querySelector(`{selector}`)?.innerText ?? ''")).GetString()!;

    /// <summary>Looks again and again until an expression is true.</summary>
    /// <exception cref="TimeoutException">It does not come true; the message holds what the page says.</exception>
    public async Task UntilAsync(string expression, TimeSpan? atMost = null)
    {
        var clock = Stopwatch.StartNew();
        while ((await AskAsync($"Boolean({expression})")).ValueKind != JsonValueKind.True)
        {
            if (clock.Elapsed > (atMost ?? s_patience))
            {
                throw new TimeoutException(
                    $"It did not come true within {atMost ?? s_patience}: {expression}\n{await TextAsync("body")}\n"
                    + string.Join('\n', Complaints));
            }
            await Task.Delay(s_lookEvery);
        }
    }

    /// <summary>Waits until the page has a text, whatever the case of its letters.</summary>
    public Task SaysAsync(string text, TimeSpan? atMost = null) =>
        UntilAsync($"document.body.innerText.toLowerCase().includes({JsonSerializer.Serialize(text.ToLowerInvariant())})", atMost);

    /// <summary>Waits until the page hears from the server.</summary>
    public Task IsLiveAsync() => UntilAsync("document.getElementById('link')?.dataset.state === 'live'", TimeSpan.FromSeconds(60));

    /// <summary>Waits until a complaint has a text.</summary>
    public async Task HeardAsync(string text)
    {
        var clock = Stopwatch.StartNew();
        while (!Complaints.Any(said => said.Contains(text, StringComparison.Ordinal)))
        {
            Assert.True(clock.Elapsed < s_patience, $"nothing was heard of {text}:\n{string.Join('\n', Complaints)}");
            await Task.Delay(s_lookEvery);
        }
    }

    /// <summary>Clicks in the middle of an element, once it is there and can be used.</summary>
    /// <param name="element">An expression that gives it.</param>
    public async Task ClickAsync(string element)
    {
        await UntilAsync($"{element} && !{element}.disabled && {element}.getClientRects().length");
        var place = await AskAsync($$"""
            (() => {
              const it = {{element}};
              it.scrollIntoView({ block: 'center', behavior: 'instant' });
              const box = it.getBoundingClientRect();
              return [box.x + box.width / 2, box.y + box.height / 2];
            })()
            """);
        var (x, y) = (place[0].GetDouble(), place[1].GetDouble());
        foreach (var type in new[] { "mouseMoved", "mousePressed", "mouseReleased" })
        {
            var button = type == "mouseMoved" ? "none" : "left";
            await SendAsync("Input.dispatchMouseEvent", new { type, x, y, button, clickCount = 1 });
        }
    }

    /// <summary>A button by its words.</summary>
    public static string Button(string words) =>
        $"[...document.querySelectorAll('button')].find(b => b.innerText === '{words}' && b.getClientRects().length)";

    public async Task PressAsync(string key)
    {
        var code = key switch { "Enter" => 13, "Escape" => 27, "Tab" => 9, "ArrowLeft" => 37, "ArrowRight" => 39, _ => 0 };
        var text = key == "Enter" ? "\r" : null;
        object down = text is null
            ? new { type = "rawKeyDown", key, code = key, windowsVirtualKeyCode = code }
            : new { type = "keyDown", key, code = key, windowsVirtualKeyCode = code, text };
        await SendAsync("Input.dispatchKeyEvent", down);
        await SendAsync("Input.dispatchKeyEvent", new { type = "keyUp", key, code = key, windowsVirtualKeyCode = code });
    }

    public Task TypeAsync(string text) => SendAsync("Input.insertText", new { text });

    /// <summary>The picture of the whole page, or of what is seen of it.</summary>
    public async Task<byte[]> ShotAsync(bool whole = false)
    {
        var shot = await SendAsync("Page.captureScreenshot", new { format = "png", captureBeyondViewport = whole });
        return shot.GetProperty("data").GetBytesFromBase64();
    }

    Task<JsonElement> SendAsync(string method, object? parameters = null) => _tools.SendAsync(method, parameters, _session);

    void Hear(string session, string method, JsonElement told)
    {
        if (session != _session)
            return;
        switch (method)
        {
            case "Runtime.exceptionThrown":
                Complaints.Enqueue(told.GetProperty("exceptionDetails").ToString());
                break;
            case "Runtime.consoleAPICalled" when told.GetProperty("type").GetString() is "error" or "warning" or "assert":
                Complaints.Enqueue(told.GetProperty("args").ToString());
                break;
            case "Log.entryAdded" when told.GetProperty("entry") is var entry
                && entry.GetProperty("level").GetString() is "error" or "warning":
                Complaints.Enqueue(
                    $"{entry.GetProperty("text").GetString()} {(entry.TryGetProperty("url", out var url) ? url.GetString() : "")}");
                break;
        }
    }
}

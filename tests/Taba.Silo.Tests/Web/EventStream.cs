using System.Text.Json;

namespace Taba.Silo.Tests.Web;

/// <summary>Reads server-sent events as a browser does.</summary>
sealed class EventStream : IDisposable
{
    readonly HttpResponseMessage _answer;
    readonly StreamReader _lines;

    EventStream(HttpResponseMessage answer, Stream stream) => (_answer, _lines) = (answer, new(stream));

    public static async Task<EventStream> OpenAsync(HttpClient client, string path, string? lastEventId = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (lastEventId is not null)
            request.Headers.Add("Last-Event-ID", lastEventId);
        var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        answer.EnsureSuccessStatusCode();
        return new(answer, await answer.Content.ReadAsStreamAsync());
    }

    /// <summary>The next event; null when the stream has ended.</summary>
    public async Task<(string Id, string Name, JsonElement Data)?> NextAsync(TimeSpan atMost)
    {
        using var limit = new CancellationTokenSource(atMost);
        var (id, name, data) = ("", "", "");
        while (await _lines.ReadLineAsync(limit.Token) is { } line)
        {
            if (line.StartsWith("id: ", StringComparison.Ordinal))
                id = line[4..];
            else if (line.StartsWith("event: ", StringComparison.Ordinal))
                name = line[7..];
            else if (line.StartsWith("data: ", StringComparison.Ordinal))
                data = line[6..];
            else if (line.Length == 0 && name.Length > 0)
                return (id, name, JsonDocument.Parse(data).RootElement);
        }
        return null;
    }

    /// <summary>Goes on to an event that is as wanted.</summary>
    public async Task<(string Id, string Name, JsonElement Data)> UntilAsync(string name, Func<JsonElement, bool> isWanted)
    {
        while (await NextAsync(TimeSpan.FromSeconds(30)) is { } next)
        {
            if (next.Name == name && isWanted(next.Data))
                return next;
        }
        throw new InvalidOperationException($"The stream ended without the event {name}.");
    }

    /// <summary>Reads until nothing comes for a while.</summary>
    /// <returns>The id of the last event; null when none came.</returns>
    public async Task<string?> LastIdAsync(TimeSpan quiet)
    {
        string? last = null;
        try
        {
            while (await NextAsync(quiet) is { } next)
                last = next.Id;
        }
        catch (OperationCanceledException)
        {
            // It is quiet.
        }
        return last;
    }

    public void Dispose()
    {
        _lines.Dispose();
        _answer.Dispose();
    }
}

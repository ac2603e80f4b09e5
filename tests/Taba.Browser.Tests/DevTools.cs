using System.Collections.Concurrent;
using System.Net.WebSockets;
using System.Text.Json;

namespace Taba.Browser.Tests;

/// <summary>The protocol of Chromium's developer tools: commands with answers, and events, over one socket.</summary>
sealed class DevTools : IAsyncDisposable
{
    static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    readonly ClientWebSocket _socket = new();
    readonly SemaphoreSlim _sends = new(1, 1);
    readonly ConcurrentDictionary<int, TaskCompletionSource<JsonElement>> _asked = new();
    readonly CancellationTokenSource _ending = new();
    Task _hears = Task.CompletedTask;
    int _lastId;

    /// <summary>Session, event and what it says.</summary>
    public event Action<string, string, JsonElement>? Told;

    public static async Task<DevTools> ConnectAsync(Uri address)
    {
        var tools = new DevTools();
        await tools._socket.ConnectAsync(address, CancellationToken.None);
        tools._hears = tools.HearAsync();
        return tools;
    }

    /// <summary>Sends a command and waits for its answer.</summary>
    /// <param name="parameters">An object whose properties are the command's parameters.</param>
    /// <param name="session">The page; null for the browser.</param>
    /// <exception cref="InvalidOperationException">The browser refuses it.</exception>
    public async Task<JsonElement> SendAsync(string method, object? parameters = null, string? session = null)
    {
        var id = Interlocked.Increment(ref _lastId);
        var answer = _asked[id] = new(TaskCreationOptions.RunContinuationsAsynchronously);
        var message = session is null
            ? JsonSerializer.SerializeToUtf8Bytes(new { id, method, @params = parameters ?? new { } })
            : JsonSerializer.SerializeToUtf8Bytes(new { id, method, @params = parameters ?? new { }, sessionId = session });
        await _sends.WaitAsync();
        try
        {
            await _socket.SendAsync(message, WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);
        }
        finally
        {
            _sends.Release();
        }
        return await answer.Task.WaitAsync(s_patience);
    }

    async Task HearAsync()
    {
        var buffer = new byte[1 << 16];
        using var message = new MemoryStream();
        try
        {
            while (true)
            {
                var got = await _socket.ReceiveAsync(buffer, _ending.Token);
                if (got.MessageType == WebSocketMessageType.Close)
                    return;
                message.Write(buffer, 0, got.Count);
                if (!got.EndOfMessage)
                    continue;
                using var heard = JsonDocument.Parse(message.GetBuffer().AsMemory(0, (int)message.Length));
                Take(heard.RootElement.Clone());
                message.SetLength(0);
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or WebSocketException)
        {
            foreach (var answer in _asked.Values)
                answer.TrySetException(new InvalidOperationException("The browser went."));
        }
    }

    void Take(JsonElement message)
    {
        if (!message.TryGetProperty("id", out var id))
        {
            var session = message.TryGetProperty("sessionId", out var of) ? of.GetString()! : "";
            Told?.Invoke(session, message.GetProperty("method").GetString()!, message.GetProperty("params"));
        }
        else if (_asked.TryRemove(id.GetInt32(), out var answer))
        {
            if (message.TryGetProperty("error", out var error))
                answer.TrySetException(new InvalidOperationException(error.GetProperty("message").GetString()));
            else
                answer.TrySetResult(message.GetProperty("result"));
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await _hears;
        _socket.Dispose();
        _sends.Dispose();
        _ending.Dispose();
    }
}

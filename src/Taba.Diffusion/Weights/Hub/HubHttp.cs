using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;

namespace Taba.Diffusion.Weights.Hub;

/// <summary>
/// Asks a server, and follows redirects itself: the token goes to the endpoint that it is meant for and to no other host. Answers
/// that may pass are <see cref="TransientException"/>s, all others that are no success <see cref="HubException"/>s.
/// </summary>
sealed class HubHttp : IDisposable
{
    const int MaxRedirects = 10;

    readonly HttpClient _client;
    readonly Uri _endpoint;
    readonly string? _token;
    readonly TimeSpan _silence;
    readonly TimeProvider _time;

    /// <summary>A null handler is one that honours HTTPS_PROXY and NO_PROXY; one that is given must not follow redirects.</summary>
    public HubHttp(HttpMessageHandler? handler, HubSettings settings, string? token, TimeSpan silence, TimeProvider time)
    {
        _client = new HttpClient(
            handler ?? new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, SslOptions = settings.Trust.Options },
            disposeHandler: handler is null)
        {
            Timeout = Timeout.InfiniteTimeSpan, // a large file takes hours; silence is watched instead
        };
        _client.DefaultRequestHeaders.UserAgent.Add(
            new ProductInfoHeaderValue("taba", typeof(HubHttp).Assembly.GetName().Version?.ToString(3)));
        _client.DefaultRequestHeaders.AcceptEncoding.Add(
            new StringWithQualityHeaderValue("identity")); // sizes and digests are of the plain bytes
        (_endpoint, _token, _silence, _time) = (settings.Endpoint, token, silence, time);
    }

    /// <summary>
    /// The answer to a GET, its body unread. With <paramref name="from"/> above zero only the bytes from there on are asked for.
    /// </summary>
    public async Task<HttpResponseMessage> GetAsync(Uri uri, long from, HubSubject subject, CancellationToken cancellation)
    {
        for (var redirects = 0; redirects <= MaxRedirects; redirects++)
        {
            var response = await SendAsync(HttpMethod.Get, uri, from, subject, cancellation);
            if (Redirect(uri, response, subject) is { } next)
            {
                response.Dispose();
                uri = next;
                continue;
            }

            if (response.IsSuccessStatusCode || response.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable)
                return RequireNoPage(response, uri, subject);
            using (response)
                throw Failure(response, subject);
        }

        throw new HubException(HubFault.Network, $"{subject.Name} is redirected more than {MaxRedirects} times.");
    }

    /// <summary>The head of the answer to a request without a body; a redirect counts as success and is not followed.</summary>
    public async Task<HttpResponseMessage> HeadAsync(Uri uri, HubSubject subject, CancellationToken cancellation)
    {
        var response = await SendAsync(HttpMethod.Head, uri, 0, subject, cancellation);
        if ((int)response.StatusCode < 400)
            return RequireNoPage(response, uri, subject);
        using (response)
            throw Failure(response, subject);
    }

    /// <summary>Reads a body whole.</summary>
    public async Task<byte[]> ReadAsync(HttpResponseMessage response, int maxBytes, HubSubject subject, CancellationToken cancellation)
    {
        using var body = await response.Content.ReadAsStreamAsync(cancellation);
        using var bytes = new MemoryStream();
        var buffer = new byte[1 << 16];
        for (int read; (read = await ReadSomeAsync(body, buffer, subject, cancellation)) > 0;)
        {
            if (bytes.Length + read > maxBytes)
                throw new HubException(HubFault.Corrupt, $"The answer about {subject.Name} is longer than {maxBytes} bytes.");
            bytes.Write(buffer, 0, read);
        }

        return bytes.ToArray();
    }

    /// <summary>Reads what has arrived; nothing at the end. Silence and cuts are transient.</summary>
    public Task<int> ReadSomeAsync(Stream body, byte[] buffer, HubSubject subject, CancellationToken cancellation) =>
        WatchAsync(token => body.ReadAsync(buffer, token).AsTask(), subject, cancellation);

    public void Dispose() => _client.Dispose();

    Task<HttpResponseMessage> SendAsync(
        HttpMethod method, Uri uri, long from, HubSubject subject, CancellationToken cancellation) => WatchAsync(
        async token =>
        {
            using var request = new HttpRequestMessage(method, uri);
            if (_token is not null && SameOrigin(uri, _endpoint))
                request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", _token);
            if (from > 0)
                request.Headers.Range = new RangeHeaderValue(from, null);
            return await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, token);
        },
        subject, cancellation);

    async Task<T> WatchAsync<T>(Func<CancellationToken, Task<T>> act, HubSubject subject, CancellationToken cancellation)
    {
        using var silence = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        silence.CancelAfter(_silence);
        try
        {
            return await act(silence.Token);
        }
        catch (OperationCanceledException error) when (!cancellation.IsCancellationRequested)
        {
            throw new TransientException($"nothing came for {_silence.TotalSeconds:0} seconds", null, error);
        }
        catch (Exception error) when (error is HttpRequestException or HttpIOException or SocketException
            || error is IOException { InnerException: SocketException })
        {
            throw HubFailures.Of(error, subject);
        }
    }

    /// <summary>Proxies and captive portals send pages in place of what was asked for. No model has such a file.</summary>
    static HttpResponseMessage RequireNoPage(HttpResponseMessage response, Uri uri, HubSubject subject)
    {
        var type = response.Content.Headers.ContentType?.MediaType;
        if (!response.IsSuccessStatusCode || type is not ("text/html" or "application/xhtml+xml"))
            return response;
        using (response)
            throw subject.IsWebPage(uri);
    }

    static Uri? Redirect(Uri uri, HttpResponseMessage response, HubSubject subject)
    {
        if (response.StatusCode is not (HttpStatusCode.Moved or HttpStatusCode.Found or HttpStatusCode.SeeOther
            or HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect) || response.Headers.Location is not { } location)
        {
            return null;
        }

        var next = new Uri(uri, location);
        return next.Scheme == Uri.UriSchemeHttps || (next.Scheme == Uri.UriSchemeHttp && uri.Scheme == Uri.UriSchemeHttp)
            ? next
            : throw new HubException(
                HubFault.Network, $"{subject.Name} is redirected from {uri.Host} to a {next.Scheme} address, which is not followed.");
    }

    Exception Failure(HttpResponseMessage response, HubSubject subject)
    {
        var status = (int)response.StatusCode;
        if (status is 408 or 429 or >= 500)
            return new TransientException($"the server answered {status} {response.ReasonPhrase}".TrimEnd(), RetryAfter(response));
        var code = response.Headers.TryGetValues("X-Error-Code", out var codes) ? codes.FirstOrDefault() : null;
        return status switch
        {
            // The hub tells strangers neither that a repository is private nor that there is none.
            401 when subject.Repository is not null && code != "GatedRepo" => subject.NotFound(hasToken: _token is not null),
            403 when code == "RepoNotFound" => subject.NotFound(hasToken: _token is not null),
            401 or 403 => subject.Refused(hasToken: _token is not null),
            404 or 410 => subject.NotFound(hasToken: _token is not null),
            _ => new HubException(
                status is >= 400 ? HubFault.Unusable : HubFault.Network,
                $"{subject.Name} could not be had: the server answered {status} {response.ReasonPhrase}.".Replace(
                    " .", ".", StringComparison.Ordinal)),
        };
    }

    TimeSpan? RetryAfter(HttpResponseMessage response)
    {
        var wait = response.Headers.RetryAfter is { } header ? header.Delta ?? (header.Date - _time.GetUtcNow()) : null;
        return wait < TimeSpan.Zero ? TimeSpan.Zero : wait;
    }

    static bool SameOrigin(Uri a, Uri b) =>
        Uri.Compare(a, b, UriComponents.SchemeAndServer, UriFormat.UriEscaped, StringComparison.OrdinalIgnoreCase) == 0;
}

using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Hosting;
using Taba.Silo.Web.Json;

namespace Taba.Silo.Web.Live;

/// <summary>
/// Streams of server-sent events. A viewer gets each part whenever it says something new. The id of an event is the tags of all parts as
/// the viewer has them then, so that one who comes back with it (<c>Last-Event-ID</c>) gets only what it lacks, also from another silo.
/// </summary>
sealed class Feeds(IHostApplicationLifetime lifetime, Ending ending, TimeProvider time)
{
    /// <summary>Fewer than the server has connections, so that whoever only asks is answered.</summary>
    const int MostViewers = 128;

    const int ReconnectMilliseconds = 2000;

    /// <summary>A proxy takes a connection on which nothing comes for broken.</summary>
    static readonly TimeSpan s_quietAtMost = TimeSpan.FromSeconds(15);

    static readonly byte[] s_comment = ":\n\n"u8.ToArray();

    int _viewers;

    /// <summary>Streams that are open now.</summary>
    public int Viewers => Volatile.Read(ref _viewers);

    /// <summary>Streams until the viewer leaves or the host stops.</summary>
    /// <param name="every">How often is looked.</param>
    public async Task StreamAsync(HttpContext context, TimeSpan every, params FeedPart[] parts)
    {
        try
        {
            if (Interlocked.Increment(ref _viewers) > MostViewers)
            {
                await Answers.ErrorAsync(
                    context, StatusCodes.Status503ServiceUnavailable, $"{MostViewers} pages are open already: close one, and ask again");
                return;
            }
            if (await FirstLookAsync(parts) is { } wrong)
            {
                await wrong.ExecuteAsync(context);
                return;
            }
            await new Viewer(context, parts, time).StreamAsync(every, ending, lifetime.ApplicationStopping);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The viewer has left.
        }
        finally
        {
            Interlocked.Decrement(ref _viewers);
        }
    }

    /// <summary>A browser does not come back after an answer like this one, so only what stays wrong is answered so.</summary>
    static async Task<Answer?> FirstLookAsync(FeedPart[] parts)
    {
        foreach (var part in parts)
        {
            if (await part.Look() is { Status: >= 400 and < 500 } wrong)
                return wrong;
        }
        return null;
    }

    /// <summary>Who looks at a stream, and what it has seen.</summary>
    sealed class Viewer(HttpContext context, FeedPart[] parts, TimeProvider time)
    {
        readonly string[] _seen = Seen(context.Request.Headers["Last-Event-ID"].ToString(), parts.Length);
        long _wroteAt;

        public async Task StreamAsync(TimeSpan every, Ending ending, CancellationToken stopping)
        {
            var response = context.Response;
            response.ContentType = "text/event-stream";
            response.Headers.CacheControl = "no-cache";
            // An nginx that buffers would hold events back.
            response.Headers["X-Accel-Buffering"] = "no";
            context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
            await WriteAsync(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"retry: {ReconnectMilliseconds}\n\n")));
            while (!stopping.IsCancellationRequested)
            {
                await LookAsync();
                if (time.GetElapsedTime(_wroteAt) >= s_quietAtMost)
                    await WriteAsync(s_comment);
                await PauseAsync(every, stopping);
            }
            // What viewers share may be as old as this.
            await Task.Delay(every, time, context.RequestAborted);
            await LookAsync();
            await WriteAsync("ended", Answer.Of(ending, ViewJson.Default.Ending));
        }

        async Task LookAsync()
        {
            for (var i = 0; i < parts.Length; i++)
            {
                var answer = await parts[i].Look();
                if (answer.Tag == _seen[i])
                    continue;
                _seen[i] = answer.Tag;
                await WriteAsync(answer.IsGood ? parts[i].Name : "trouble", answer);
            }
        }

        async Task PauseAsync(TimeSpan every, CancellationToken stopping)
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(stopping, context.RequestAborted);
            await Task.Delay(every, time, either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            context.RequestAborted.ThrowIfCancellationRequested();
        }

        /// <summary>The answer's JSON is one line, as an event's data must be.</summary>
        Task WriteAsync(string name, Answer answer) => WriteAsync(
            [.. Encoding.ASCII.GetBytes($"id: {string.Join('.', _seen)}\nevent: {name}\ndata: "), .. answer.Json, .. "\n\n"u8]);

        async Task WriteAsync(byte[] bytes)
        {
            _wroteAt = time.GetTimestamp();
            await context.Response.Body.WriteAsync(bytes, context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
        }

        static string[] Seen(string lastEventId, int parts)
        {
            var tags = lastEventId.Split('.');
            return tags.Length == parts && tags.All(t => t.Length <= Answer.TagDigits && t.All(char.IsAsciiHexDigitLower))
                ? tags
                : [.. Enumerable.Repeat("", parts)];
        }
    }
}

using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Storage.Blobs;

namespace Taba.Testing.Stores;

/// <summary>A container behind a network that fails on demand.</summary>
public sealed class FaultyRequests : HttpPipelinePolicy
{
    readonly HashSet<string> _lost = [];
    int _refused;

    /// <param name="retries">How often the SDK asks again.</param>
    public FaultyRequests(string connectionString, string container, int retries = 3)
    {
        var options = new BlobClientOptions();
        options.Retry.Delay = TimeSpan.FromMilliseconds(10);
        options.Retry.MaxRetries = retries;
        options.AddPolicy(this, HttpPipelinePosition.PerRetry);
        Container = new(connectionString, container, options);
    }

    public BlobContainerClient Container { get; }

    /// <summary>Drops the first answer to every write, after the server has done it.</summary>
    public bool LosesAnswers { get; set; }

    /// <summary>Requests of these kinds do not reach the server.</summary>
    public Func<RequestMethod, bool> Refuses { get; set; } = _ => false;

    /// <summary>Writes whose first answer was lost.</summary>
    public int Lost => _lost.Count;

    /// <summary>Requests that did not reach the server.</summary>
    public int Refused => Volatile.Read(ref _refused);

    public override void Process(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline)
    {
        Before(message);
        ProcessNext(message, pipeline);
        After(message);
    }

    public override async ValueTask ProcessAsync(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline)
    {
        Before(message);
        await ProcessNextAsync(message, pipeline);
        After(message);
    }

    void Before(HttpMessage message)
    {
        if (!Refuses(message.Request.Method))
            return;
        Interlocked.Increment(ref _refused);
        throw new IOException("The network is unreachable.");
    }

    void After(HttpMessage message)
    {
        if (LosesAnswers && message.Request.Method == RequestMethod.Put && _lost.Add(message.Request.ClientRequestId))
            throw new IOException("The connection was closed before the answer came.");
    }
}

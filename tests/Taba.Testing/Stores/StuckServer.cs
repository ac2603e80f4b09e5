using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Storage;
using Azure.Storage.Blobs;

namespace Taba.Testing.Stores;

/// <summary>The way to a container on which the first conditional write never gets its answer.</summary>
public sealed class StuckServer(Uri uri, StorageSharedKeyCredential key, CancellationTokenSource stop) : IAsyncDisposable
{
    readonly Policy _policy = new(stop);

    public BlobContainerClient Container => field ??= new(uri, key, Options());

    public static Task<StuckServer> StartAsync(BlobContainerClient container, CancellationTokenSource stop) =>
        Task.FromResult(
            new StuckServer(container.Uri, new(
                "devstoreaccount1", "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="), stop));

    /// <summary>From now on requests pass.</summary>
    public void Open() => _policy.Passes = true;

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    BlobClientOptions Options()
    {
        var options = new BlobClientOptions();
        options.AddPolicy(_policy, HttpPipelinePosition.PerCall);
        return options;
    }

    sealed class Policy(CancellationTokenSource stop) : HttpPipelinePolicy
    {
        public bool Passes { get; set; }

        public override void Process(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline) => ProcessNext(message, pipeline);

        public override async ValueTask ProcessAsync(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline)
        {
            if (!Passes && message.Request.Method == RequestMethod.Put && message.Request.Headers.Contains("If-None-Match"))
            {
                await stop.CancelAsync();
                message.CancellationToken.ThrowIfCancellationRequested();
            }
            await ProcessNextAsync(message, pipeline);
        }
    }
}

using System.Collections.Concurrent;
using Taba.Diffusion.Weights.Hub;
using Taba.Testing;

namespace Taba.Diffusion.Tests.Weights.Hub;

/// <summary>A hub with one repository, an empty cache, and clients whose pauses take no time.</summary>
sealed class HubWorkbench : IDisposable
{
    public const string Repository = "models/org/tiny";

    readonly TempFolder _folder = new();
    readonly HttpClientHandler _handler = new() { AllowAutoRedirect = false, UseProxy = false };
    readonly Dictionary<string, string> _variables = [];

    public HubWorkbench()
    {
        _variables["HF_HOME"] = _folder.At("hf");
        _variables["HF_ENDPOINT"] = Server.Endpoint.ToString();
        Server.Add(Repository, "model_index.json", """{"_class_name":"P","unet":["diffusers","U"]}"""u8.ToArray());
        Server.Add(Repository, "unet/config.json", "{}"u8.ToArray());
        Server.Add(Repository, "unet/diffusion_pytorch_model.safetensors", Weights, large: true);
    }

    public HubServer Server { get; } = new();

    public InstantTime Time { get; } = new();

    /// <summary>Two megabytes that no prefix or suffix could be mistaken for.</summary>
    public static byte[] Weights { get; } = [.. Enumerable.Range(0, 2_000_000).Select(i => (byte)((i * 2654435761L) >> 13))];

    public static HubRepository Tiny { get; } = HubRepository.Model("org/tiny");

    public string Cache => _folder.At("hf/hub");

    public string Blobs => Path.Combine(Cache, "models--org--tiny", "blobs");

    public string WeightsBlob => Path.Combine(Blobs, HubServer.Blob(Weights, large: true));

    public string At(string name) => _folder.At(name);

    public void Set(string variable, string value) => _variables[variable] = value;

    public HubSettings Settings() => HubSettings.FromEnvironment(_variables.GetValueOrDefault);

    public HubClient Client(HubRetryOptions? retry = null) => new(Settings(), _handler, Time, retry);

    public CheckpointCache Checkpoints(HubRetryOptions? retry = null) => new(Settings(), _handler, Time, retry);

    /// <summary>Makes links in the cache; throws what a file system without them does. Null makes them.</summary>
    public Action<string, string>? SymbolicLink { get; set; }

    /// <summary>Lists, chooses, and pulls; the snapshot's folder.</summary>
    public async Task<string> PullAsync(
        IProgress<HubProgress>? progress = null, HubRetryOptions? retry = null, CancellationToken cancellation = default)
    {
        using var client = SymbolicLink is { } link
            ? new HubClient(Settings(), _handler, Time, retry) { Cache = new(Cache, link) }
            : Client(retry);
        var listing = await client.ListAsync(Tiny, cancellation: cancellation);
        return await client.PullAsync(client.Plan(listing, HubSelection.ForModel(listing)), progress, cancellation);
    }

    /// <summary>All paths of the cache with forward slashes, without locks.</summary>
    public string[] Files() => !Directory.Exists(Cache)
        ? []
        : [.. Directory.EnumerateFiles(Cache, "*", SearchOption.AllDirectories).Select(
            f => Path.GetRelativePath(Cache, f).Replace('\\', '/'))
            .Where(f => !f.EndsWith(".lock", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];

    public void Dispose()
    {
        Server.Dispose();
        _handler.Dispose();
        _folder.Dispose();
    }
}

/// <summary>A clock whose timers ring at once, and which remembers what they were set to.</summary>
sealed class InstantTime : TimeProvider
{
    readonly ConcurrentQueue<TimeSpan> _pauses = new();

    public IReadOnlyList<double> Seconds => [.. _pauses.Select(p => p.TotalSeconds)];

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        if (dueTime != Timeout.InfiniteTimeSpan)
            _pauses.Enqueue(dueTime);
        return base.CreateTimer(callback, state, dueTime == Timeout.InfiniteTimeSpan ? dueTime : TimeSpan.Zero, period);
    }
}

/// <summary>Runs on the caller's thread, so that a test can act in the middle of a download.</summary>
sealed class OnProgress(Action<HubProgress> act) : IProgress<HubProgress>
{
    public void Report(HubProgress value) => act(value);
}

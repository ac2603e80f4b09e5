using System.Security.Cryptography;
using Taba.Diffusion.Weights.Hub;
using Taba.Testing;

namespace Taba.Diffusion.Tests.Weights.Hub;

public sealed class CheckpointCacheTests : IDisposable
{
    readonly HubWorkbench _hub = new();
    readonly Uri _source;

    public CheckpointCacheTests() => _source = _hub.Server.AddPlain("model.pt", HubWorkbench.Weights);

    public void Dispose() => _hub.Dispose();

    async Task<string> PullAsync(IProgress<HubProgress>? progress = null, CancellationToken cancellation = default)
    {
        using var cache = _hub.Checkpoints(new HubRetryOptions { Attempts = 2 });
        return await cache.PullAsync(await cache.PlanAsync(_source, cancellation), progress, cancellation);
    }

    string[] Kept() => [.. Directory.GetFiles(_hub.Settings().CheckpointFolder).Select(f => Path.GetFileName(f)).Where(
        f => !f.EndsWith(".lock", StringComparison.Ordinal))];

    [Fact]
    public async Task Pull_PlainFile_LiesBesideTheHubsFolder()
    {
        var path = await PullAsync();
        Assert.Equal(_hub.At("taba/checkpoints/model.pt"), path);
        Assert.Equal(path, CheckpointCache.PathOf(_hub.Settings(), _source));
        Assert.Equal(HubWorkbench.Weights, File.ReadAllBytes(path));
        Assert.Equal(["model.pt"], Kept());
    }

    [Fact]
    public async Task Pull_WhatIsHere_AsksNobody()
    {
        await PullAsync();
        _hub.Set("HF_HUB_OFFLINE", "1");
        var before = _hub.Server.Requests.Count;
        await PullAsync();
        Assert.Equal(before, _hub.Server.Requests.Count);
    }

    [Fact]
    public async Task Pull_Interrupted_IsContinued()
    {
        using var interrupted = new CancellationTokenSource();
        var stop = new OnProgress(p =>
        {
            if (p.Done > 600_000)
                interrupted.Cancel();
        });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => PullAsync(stop, interrupted.Token));
        using (var cache = _hub.Checkpoints())
            Assert.InRange((await cache.PlanAsync(_source)).BytesHere, 600_000, HubWorkbench.Weights.Length - 1);
        Assert.Equal(HubWorkbench.Weights, File.ReadAllBytes(await PullAsync()));
        Assert.StartsWith("bytes=", _hub.Server.Requests[^1].Range, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pull_FileChangedSinceItWasBegun_StartsAnew()
    {
        using var interrupted = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => PullAsync(new OnProgress(p => Stop(p, interrupted)), interrupted.Token));
        byte[] other = [.. HubWorkbench.Weights.Reverse()];
        _hub.Server.AddPlain("model.pt", other);
        Assert.Equal(other, File.ReadAllBytes(await PullAsync()));
        Assert.Equal(["model.pt"], Kept());

        static void Stop(HubProgress progress, CancellationTokenSource interrupted)
        {
            if (progress.Done > 600_000)
                interrupted.Cancel();
        }
    }

    [Fact]
    public async Task Pull_ServerStatesAnMd5_IsCheckedAgainstIt()
    {
        using var md5 = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
        md5.AppendData(HubWorkbench.Weights);
        var stated = Convert.ToBase64String(md5.GetHashAndReset());
        _hub.Server.Intercept = r => r.Method == "HEAD"
            ? new HubReply(200, HubWorkbench.Weights, new Dictionary<string, string> { ["Content-MD5"] = stated })
            : null;
        await PullAsync();
        File.Delete(_hub.At("taba/checkpoints/model.pt"));
        _hub.Server.AddPlain("model.pt", new byte[HubWorkbench.Weights.Length]);
        Assert.Equal(HubFault.Corrupt, (await Assert.ThrowsAsync<HubException>(() => PullAsync())).Fault);
        Assert.DoesNotContain("model.pt", Kept());
    }

    [Fact]
    public async Task Pull_Mirror_IsAskedInstead()
    {
        _hub.Set("TABA_CHECKPOINT_MIRROR", new Uri(_hub.Server.Endpoint, "files").ToString());
        using var cache = _hub.Checkpoints();
        var path = await cache.PullAsync(await cache.PlanAsync(new Uri("https://nowhere.invalid/diffusion/model.pt")));
        Assert.Equal(HubWorkbench.Weights, File.ReadAllBytes(path));
    }

    [Fact]
    public async Task Pull_TokenOfTheHub_IsNotSent()
    {
        _hub.Set("HF_TOKEN", "hf_secret");
        await PullAsync();
        Assert.All(_hub.Server.Requests, r => Assert.Null(r.Authorization));
    }

    [Fact]
    public async Task Plan_FileThatIsNotThere_SaysSo()
    {
        using var cache = _hub.Checkpoints();
        var error = await Assert.ThrowsAsync<HubException>(() => cache.PlanAsync(new Uri(_hub.Server.Endpoint, "files/none.pt")));
        Assert.Equal(HubFault.NotFound, error.Fault);
        Assert.False(Directory.Exists(_hub.Settings().CheckpointFolder));
    }
}

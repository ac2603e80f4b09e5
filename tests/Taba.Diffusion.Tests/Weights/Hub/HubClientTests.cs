using Taba.Diffusion.Weights;
using Taba.Diffusion.Weights.Hub;
using Taba.Testing;

namespace Taba.Diffusion.Tests.Weights.Hub;

public sealed class HubClientTests : IDisposable
{
    const string Token = "hf_secretsecret";

    static readonly HubRetryOptions s_impatient = new() { Attempts = 3 };

    readonly HubWorkbench _hub = new();

    public void Dispose() => _hub.Dispose();

    Task<HubException> RefusalAsync(HubRetryOptions? retry = null) => Assert.ThrowsAsync<HubException>(() => _hub.PullAsync(retry: retry));

    [Fact]
    public async Task Pull_EmptyCache_IsTheHubsOwnLayout()
    {
        var snapshot = await _hub.PullAsync();

        Assert.Equal(Path.Combine(_hub.Cache, "models--org--tiny", "snapshots", _hub.Server.Commit), snapshot);
        Assert.Equal(_hub.Server.Commit, File.ReadAllText(Path.Combine(_hub.Cache, "models--org--tiny", "refs", "main")));
        var weights = new FileInfo(Path.Combine(snapshot, "unet", "diffusion_pytorch_model.safetensors"));
        Assert.Equal($"../../../blobs/{HubServer.Blob(HubWorkbench.Weights, true)}", weights.LinkTarget);
        Assert.Equal(HubWorkbench.Weights, File.ReadAllBytes(weights.FullName));
        Assert.StartsWith("../../blobs/", new FileInfo(Path.Combine(snapshot, "model_index.json")).LinkTarget, StringComparison.Ordinal);
        Assert.Equal(3, Directory.GetFiles(_hub.Blobs).Length);
        Assert.Equal(snapshot, new HubCache(_hub.Cache).Snapshot(HubWorkbench.Tiny));
        Assert.Equal("P", ModelFolder.Open(snapshot).Pipeline);
    }

    [Fact]
    public async Task Pull_WhatIsHere_IsNotAskedForAgain()
    {
        await _hub.PullAsync();
        var before = _hub.Server.Requests.Count;
        await _hub.PullAsync();
        Assert.Equal(before + 1, _hub.Server.Requests.Count); // the list alone
    }

    [Fact]
    public async Task Plan_PartOfItHere_CountsOnlyTheRest()
    {
        Directory.CreateDirectory(_hub.Blobs);
        File.WriteAllBytes(_hub.WeightsBlob + ".incomplete", HubWorkbench.Weights[..500_000]);
        using var client = _hub.Client();
        var listing = await client.ListAsync(HubWorkbench.Tiny);
        var pull = client.Plan(listing, HubSelection.ForModel(listing));
        Assert.Equal(500_000, pull.BytesHere);
        Assert.Equal(HubWorkbench.Weights.Length - 500_000 + listing.Files.Where(f => f.Size < 1000).Sum(f => f.Size), pull.BytesMissing);
    }

    [Fact]
    public async Task Pull_TokenGiven_GoesToTheHubAndToNoOtherHost()
    {
        _hub.Set("HF_TOKEN", Token);
        _hub.Server.Token = Token;
        await _hub.PullAsync();
        Assert.All(_hub.Server.Requests, r => Assert.Equal(r.Port == _hub.Server.StoragePort ? null : $"Bearer {Token}", r.Authorization));
        Assert.Contains(_hub.Server.Requests, r => r.Port == _hub.Server.StoragePort);
    }

    [Fact]
    public async Task Pull_TokenInAFile_IsUsed()
    {
        _hub.Server.Token = Token;
        Directory.CreateDirectory(_hub.At("hf"));
        File.WriteAllText(_hub.At("hf/token"), Token + "\n");
        await _hub.PullAsync();
    }

    [Fact]
    public async Task Pull_ConnectionCut_GoesOnWhereItWasCut()
    {
        var cuts = 0;
        _hub.Server.Intercept = r => r.Port == _hub.Server.StoragePort && cuts++ == 0
            ? new HubReply(200, HubWorkbench.Weights, CutAfter: 700_000)
            : null;
        var snapshot = await _hub.PullAsync();
        Assert.Equal(HubWorkbench.Weights, File.ReadAllBytes(Path.Combine(snapshot, "unet/diffusion_pytorch_model.safetensors")));
        Assert.Equal([null, "bytes=700000-"], _hub.Server.Requests.Where(r => r.Port == _hub.Server.StoragePort).Select(r => r.Range));
    }

    [Fact]
    public async Task Pull_ServerIgnoresTheRange_StartsAnew()
    {
        var asked = 0;
        _hub.Server.Intercept = r => r.Port == _hub.Server.StoragePort
            ? new HubReply(200, HubWorkbench.Weights, CutAfter: asked++ == 0 ? 700_000 : null)
            : null;
        await _hub.PullAsync();
        Assert.Equal(2, asked);
        Assert.Equal(HubWorkbench.Weights, File.ReadAllBytes(_hub.WeightsBlob));
    }

    [Fact]
    public async Task Pull_InterruptedOnce_IsContinuedByTheNext()
    {
        using var interrupted = new CancellationTokenSource();
        var stop = new OnProgress(p =>
        {
            if (p.FileDone > 600_000)
                interrupted.Cancel();
        });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _hub.PullAsync(stop, cancellation: interrupted.Token));
        var kept = new FileInfo(_hub.WeightsBlob + ".incomplete").Length;
        Assert.InRange(kept, 600_000, HubWorkbench.Weights.Length - 1);
        Assert.Null(new HubCache(_hub.Cache).Snapshot(HubWorkbench.Tiny)); // the ref comes last

        await _hub.PullAsync();
        Assert.Equal($"bytes={kept}-", _hub.Server.Requests[^1].Range);
        Assert.Equal(HubWorkbench.Weights, File.ReadAllBytes(_hub.WeightsBlob));
        Assert.False(File.Exists(_hub.WeightsBlob + ".incomplete"));
    }

    [Fact]
    public async Task Pull_DamagedBeginningFromAnEarlierPull_IsThrownAwayAndFetchedAnew()
    {
        Directory.CreateDirectory(_hub.Blobs);
        File.WriteAllBytes(_hub.WeightsBlob + ".incomplete", new byte[500_000]);
        await _hub.PullAsync();
        Assert.Equal(HubWorkbench.Weights, File.ReadAllBytes(_hub.WeightsBlob));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Pull_DamagedBody_IsRefusedAndNotKept(bool large)
    {
        byte[] damaged = large ? [.. HubWorkbench.Weights[..^1], (byte)~HubWorkbench.Weights[^1]] : "[]"u8.ToArray();
        _hub.Server.Intercept = r => large ? (r.Port == _hub.Server.StoragePort ? new HubReply(200, damaged) : null)
            : r.Target.EndsWith("unet/config.json", StringComparison.Ordinal) ? new HubReply(200, damaged) : null;
        var error = await RefusalAsync();
        Assert.Equal(HubFault.Corrupt, error.Fault);
        Assert.Contains(large
            ? "diffusion_pytorch_model.safetensors of org/tiny"
            : "unet/config.json of org/tiny", error.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_hub.Blobs, "*.incomplete"));
        Assert.DoesNotContain(
            Directory.GetFiles(_hub.Blobs), f => Path.GetFileName(f) == HubServer.Blob(damaged, large) || f == _hub.WeightsBlob);
        Assert.Null(new HubCache(_hub.Cache).Snapshot(HubWorkbench.Tiny));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(1)]
    public async Task Pull_AnotherSizeThanListed_IsRefused(int more)
    {
        _hub.Server.Intercept = r => r.Port == _hub.Server.StoragePort
            ? new HubReply(200, new byte[HubWorkbench.Weights.Length + more])
            : null;
        Assert.Equal(HubFault.Corrupt, (await RefusalAsync()).Fault);
        Assert.False(File.Exists(_hub.WeightsBlob));
    }

    [Fact]
    public async Task Pull_BusyServer_WaitsAsItAsksAndLongerEachTime()
    {
        var answers = new Queue<HubReply>([HubReply.Of(429, ("Retry-After", "7")), HubReply.Of(503), HubReply.Of(500)]);
        _hub.Server.Intercept = _ => answers.TryDequeue(out var reply) ? reply : null;
        var notices = new List<string>();
        await _hub.PullAsync(retry: new HubRetryOptions { Notice = notices.Add });
        Assert.Equal([7, 2, 4], _hub.Time.Seconds);
        Assert.Equal("The repository org/tiny at main: the server answered 429 X; trying again in 7 s.", notices[0]);
    }

    [Theory]
    [InlineData(429)]
    [InlineData(500)]
    [InlineData(503)]
    public async Task Pull_ServerFailsForGood_IsGivenUp(int status)
    {
        _hub.Server.Intercept = _ => HubReply.Of(status);
        var error = await RefusalAsync(s_impatient);
        Assert.Equal(HubFault.Network, error.Fault);
        Assert.True(error.MayContinue);
        Assert.Contains($"after 3 attempts: the server answered {status}", error.Message, StringComparison.Ordinal);
        Assert.Equal(3, _hub.Server.Requests.Count);
        Assert.Empty(_hub.Files());
    }

    [Fact]
    public async Task Pull_ServerAsksToWaitTooLong_IsGivenUpAtOnce()
    {
        _hub.Server.Intercept = _ => HubReply.Of(429, ("Retry-After", "86400"));
        Assert.Contains("asks to wait 86400 seconds", (await RefusalAsync()).Message, StringComparison.Ordinal);
        Assert.Empty(_hub.Time.Seconds);
    }

    [Fact]
    public async Task Pull_NoServer_IsGivenUp()
    {
        _hub.Server.Dispose();
        Assert.Equal(HubFault.Network, (await RefusalAsync(s_impatient)).Fault);
    }

    [Fact]
    public async Task Pull_ServerFallsSilent_CountsAsCut()
    {
        using var never = new ManualResetEventSlim();
        _hub.Server.Intercept = _ =>
        {
            never.Wait(TimeSpan.FromSeconds(2));
            return null;
        };
        var error = await RefusalAsync(new HubRetryOptions { Attempts = 1, Silence = TimeSpan.FromMilliseconds(200) });
        Assert.Contains("nothing came", error.Message, StringComparison.Ordinal);
        never.Set();
    }

    [Theory]
    [InlineData(null, "then set HF_TOKEN")]
    [InlineData("hf_other", "the account that HF_TOKEN belongs to")]
    public async Task CheckAccess_GatedRepository_SaysWhatToDo(string? token, string remedy)
    {
        _hub.Server.Token = Token;
        if (token is not null)
            _hub.Set("HF_TOKEN", token);
        using var client = _hub.Client();
        var listing = await client.ListAsync(HubWorkbench.Tiny);
        var error = await Assert.ThrowsAsync<HubException>(
            () => client.CheckAccessAsync(client.Plan(listing, HubSelection.ForModel(listing))));
        Assert.Equal(HubFault.Gated, error.Fault);
        Assert.Contains("accept the licence of org/tiny", error.Message, StringComparison.Ordinal);
        Assert.Contains(remedy, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hf_other", error.ToString(), StringComparison.Ordinal);
        Assert.Empty(_hub.Files());
    }

    [Fact]
    public async Task List_UnknownRepository_SaysSo()
    {
        using var client = _hub.Client();
        var error = await Assert.ThrowsAsync<HubException>(() => client.ListAsync(HubRepository.Model("org/none")));
        Assert.Equal(HubFault.NotFound, error.Fault);
        Assert.Contains("org/none at main does not exist on the hub", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pull_FileThatVanished_SaysWhich()
    {
        _hub.Server.Intercept = r => r.Target.EndsWith("config.json", StringComparison.Ordinal) ? HubReply.Of(404) : null;
        var error = await RefusalAsync();
        Assert.Equal(HubFault.NotFound, error.Fault);
        Assert.Contains("unet/config.json of org/tiny", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pull_Offline_IsRefusedWithTheRemedy()
    {
        _hub.Set("HF_HUB_OFFLINE", "1");
        var error = await RefusalAsync();
        Assert.Equal(HubFault.Offline, error.Fault);
        Assert.Contains("HF_HUB_OFFLINE", error.Message, StringComparison.Ordinal);
        Assert.Contains(_hub.Cache, error.Message, StringComparison.Ordinal);
        Assert.Empty(_hub.Server.Requests);
    }

    [Theory]
    [InlineData("ftp://127.0.0.1/x")]
    [InlineData("file:///etc/passwd")]
    public async Task Pull_RedirectToAnotherKindOfAddress_IsNotFollowed(string location)
    {
        _hub.Server.Intercept = r => r.Target.Contains("/resolve/", StringComparison.Ordinal) ? HubReply.Of(
            302, ("Location", location)) : null;
        Assert.Contains("is not followed", (await RefusalAsync()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pull_RedirectsInACircle_AreGivenUp()
    {
        _hub.Server.Intercept = r => r.Target.Contains("/resolve/", StringComparison.Ordinal) ? HubReply.Of(
            307, ("Location", r.Target)) : null;
        Assert.Contains("redirected more than", (await RefusalAsync()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pull_SeveralAtOnce_BringEachBlobOnce()
    {
        var snapshots = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => _hub.PullAsync()));
        Assert.Single(snapshots.Distinct());
        Assert.Single(_hub.Server.Requests, r => r.Port == _hub.Server.StoragePort);
        Assert.Equal(HubWorkbench.Weights, File.ReadAllBytes(_hub.WeightsBlob));
    }

    [Fact]
    public async Task Pull_NewCommit_SharesTheBlobsThatStayed()
    {
        var first = await _hub.PullAsync();
        _hub.Server.Commit = new string('d', 40);
        _hub.Server.Add(HubWorkbench.Repository, "unet/config.json", """{"a":1}"""u8.ToArray());
        var second = await _hub.PullAsync();
        Assert.NotEqual(first, second);
        Assert.Equal(second, new HubCache(_hub.Cache).Snapshot(HubWorkbench.Tiny));
        Assert.Equal(first, new HubCache(_hub.Cache).Snapshot(HubWorkbench.Tiny, new string('c', 40)));
        Assert.Single(_hub.Server.Requests, r => r.Port == _hub.Server.StoragePort);
        Assert.Equal("{}", File.ReadAllText(Path.Combine(first, "unet/config.json")));
    }

    [Fact]
    public async Task Pull_Dataset_HasAFolderOfItsOwn()
    {
        _hub.Server.Add("datasets/org/prompts", "data/train.parquet", HubWorkbench.Weights, large: true);
        using var client = _hub.Client();
        var listing = await client.ListAsync(HubRepository.Dataset("org/prompts"));
        await client.PullAsync(client.Plan(listing, listing.Files));
        var file = client.Cache.File(HubRepository.Dataset("org/prompts"), "data/train.parquet");
        Assert.Equal(Path.Combine(_hub.Cache, "datasets--org--prompts", "snapshots", _hub.Server.Commit, "data", "train.parquet"), file);
        Assert.Equal(HubWorkbench.Weights, File.ReadAllBytes(file!));
    }

    [Fact]
    public async Task Progress_WholePull_RisesToTheTotal()
    {
        var seen = new List<HubProgress>();
        await _hub.PullAsync(new OnProgress(seen.Add));
        Assert.Equal(seen.Select(p => p.Done).Order(), seen.Select(p => p.Done));
        Assert.Equal(seen[^1].Total, seen[^1].Done);
        Assert.Equal("unet/diffusion_pytorch_model.safetensors", seen[^1].File);
    }
}

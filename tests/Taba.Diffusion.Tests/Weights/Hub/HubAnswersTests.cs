using System.Text;
using Taba.Diffusion.Weights.Hub;
using Taba.Testing;

namespace Taba.Diffusion.Tests.Weights.Hub;

/// <summary>Answers that are not what was asked for: web pages of proxies and captive portals, refusals.</summary>
public sealed class HubAnswersTests : IDisposable
{
    const string Page = "\n<!DOCTYPE html><html><title>Sign in to the airport's network</title></html>";

    readonly HubWorkbench _hub = new();
    readonly List<string> _notices = [];

    public void Dispose() => _hub.Dispose();

    static HubReply PageReply(bool named) => new(
        200, Encoding.UTF8.GetBytes(Page), named ? new Dictionary<string, string> { ["Content-Type"] = "text/html; charset=utf-8" } : null);

    Task<HubException> RefusalAsync() =>
        Assert.ThrowsAsync<HubException>(() => _hub.PullAsync(retry: new HubRetryOptions { Notice = _notices.Add }));

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task List_WebPage_IsCalledOneAndNotRetried(bool named)
    {
        _hub.Server.Intercept = _ => PageReply(named);
        var error = await RefusalAsync();
        Assert.Contains(
            "127.0.0.1 answers with a web page and not the hub's list: a proxy or a captive portal?", error.Message,
            StringComparison.Ordinal);
        Assert.True(error.MayContinue); // who signs in repeats the same command
        Assert.Empty(_notices);
        Assert.Single(_hub.Server.Requests);
    }

    [Theory]
    [InlineData("unet/config.json", true)]
    [InlineData("unet/config.json", false)]
    [InlineData("?signature=x", true)]
    [InlineData("?signature=x", false)]
    public async Task Pull_WebPageInPlaceOfAFile_IsCalledOneAndNotKept(string target, bool named)
    {
        _hub.Server.Intercept = r => r.Target.EndsWith(target, StringComparison.Ordinal) ? PageReply(named) : null;
        var error = await RefusalAsync();
        Assert.Contains("answers with a web page and not the file", error.Message, StringComparison.Ordinal);
        Assert.Empty(_notices);
        Assert.DoesNotContain(_hub.Files(), f => f.Contains("refs/", StringComparison.Ordinal));
        // Signed in: the same command goes on.
        _hub.Server.Intercept = null;
        await _hub.PullAsync();
        Assert.Equal(HubWorkbench.Weights, File.ReadAllBytes(_hub.WeightsBlob));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Pull_WebPageInPlaceOfTheRest_LeavesWhatHasArrived(bool named)
    {
        Directory.CreateDirectory(_hub.Blobs);
        File.WriteAllBytes(_hub.WeightsBlob + ".incomplete", HubWorkbench.Weights[..500_000]);
        _hub.Server.Intercept = r => r.Port == _hub.Server.StoragePort ? PageReply(named) : null;
        await RefusalAsync();
        Assert.Equal(500_000, new FileInfo(_hub.WeightsBlob + ".incomplete").Length);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Pull_WebPageInPlaceOfACheckpoint_IsNoCheckpoint(bool named)
    {
        var source = _hub.Server.AddPlain("model.pt", HubWorkbench.Weights);
        _hub.Server.Intercept = _ => PageReply(named);
        using var cache = _hub.Checkpoints();
        var error = await Assert.ThrowsAsync<HubException>(async () => await cache.PullAsync(await cache.PlanAsync(source)));
        Assert.Contains("answers with a web page and not the file", error.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(CheckpointCache.PathOf(_hub.Settings(), source)));
    }

    [Theory]
    [InlineData(401, null, null, HubFault.NotFound, "does not exist on the hub; if it is private or gated, set HF_TOKEN")]
    [InlineData(401, null, "hf_old", HubFault.NotFound, "or HF_TOKEN does not open it or is no longer valid")]
    [InlineData(401, "GatedRepo", null, HubFault.Gated, "accept the licence of org/tiny")]
    [InlineData(403, null, null, HubFault.Gated, "accept the licence of org/tiny")]
    [InlineData(404, null, null, HubFault.NotFound, "does not exist on the hub")]
    [InlineData(400, null, null, HubFault.Unusable, "the server answered 400")]
    [InlineData(451, null, null, HubFault.Unusable, "the server answered 451")]
    public async Task List_Refused_SaysWhatWouldHelpAndIsNotRetried(int status, string? code, string? token, HubFault fault, string says)
    {
        if (token is not null)
            _hub.Set("HF_TOKEN", token);
        _hub.Server.Intercept = _ => code is null ? HubReply.Of(status) : HubReply.Of(status, ("X-Error-Code", code));
        var error = await RefusalAsync();
        Assert.Equal(fault, error.Fault);
        Assert.Contains(says, error.Message, StringComparison.Ordinal);
        Assert.False(error.MayContinue);
        Assert.Single(_hub.Server.Requests);
    }

    [Fact]
    public async Task Offline_Advice_NamesTheFolderOfEachKind()
    {
        var source = _hub.Server.AddPlain("model.pt", HubWorkbench.Weights);
        _hub.Set("HF_HUB_OFFLINE", "1");
        Assert.Contains($"into {Path.Combine(_hub.Cache, "models--org--tiny")}", (await RefusalAsync()).Message, StringComparison.Ordinal);
        using var cache = _hub.Checkpoints();
        var message = (await Assert.ThrowsAsync<HubException>(() => cache.PlanAsync(source))).Message;
        Assert.Contains($"into {_hub.At("taba/checkpoints")}.", message, StringComparison.Ordinal);
        Assert.DoesNotContain(_hub.Cache, message, StringComparison.Ordinal);
        Assert.Empty(_hub.Server.Requests);
    }
}

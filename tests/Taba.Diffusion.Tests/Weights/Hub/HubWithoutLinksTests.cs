using Taba.Diffusion.Weights;
using Taba.Diffusion.Weights.Hub;
using Taba.Testing;

namespace Taba.Diffusion.Tests.Weights.Hub;

/// <summary>The cache on file systems that hold no symbolic links: network shares, exFAT, some FUSE.</summary>
public sealed class HubWithoutLinksTests : IDisposable
{
    readonly HubWorkbench _hub = new()
    {
        SymbolicLink = (link, _) => throw new UnauthorizedAccessException($"Access to {link} is denied."),
    };

    public void Dispose() => _hub.Dispose();

    string Weights => Path.Combine(
        _hub.Cache, "models--org--tiny", "snapshots", _hub.Server.Commit, "unet", "diffusion_pytorch_model.safetensors");

    [Theory]
    [InlineData(typeof(UnauthorizedAccessException))]
    [InlineData(typeof(IOException))]
    [InlineData(typeof(PlatformNotSupportedException))]
    public async Task Pull_NoLinks_SnapshotHoldsTheFilesOnce(Type failure)
    {
        _hub.SymbolicLink = (_, _) => throw (Exception)Activator.CreateInstance(failure)!;
        var snapshot = await _hub.PullAsync();

        Assert.Equal(HubWorkbench.Weights, File.ReadAllBytes(Weights));
        Assert.Null(new FileInfo(Weights).LinkTarget);
        Assert.Equal("P", ModelFolder.Open(snapshot).Pipeline);
        // Moved, not copied: a model of 20 GB takes 20 GB.
        Assert.Equal(
            ["refs/main", .. new[] { "model_index.json", "unet/config.json", "unet/diffusion_pytorch_model.safetensors" }.Select(
                f => $"snapshots/{_hub.Server.Commit}/{f}")],
            _hub.Files().Select(f => f["models--org--tiny/".Length..]));
    }

    [Fact]
    public async Task Pull_Again_BringsAndWritesNothing()
    {
        await _hub.PullAsync();
        var (requests, written) = (_hub.Server.Requests.Count, File.GetLastWriteTimeUtc(Weights));
        await _hub.PullAsync();
        Assert.Equal(requests + 1, _hub.Server.Requests.Count); // the list alone
        Assert.Equal(written, File.GetLastWriteTimeUtc(Weights));
    }

    [Fact]
    public async Task Pull_TwoFilesOfEqualBytes_AreBroughtOnceAndBothThere()
    {
        _hub.Server.Add(HubWorkbench.Repository, "unet/twin.json", "{}"u8.ToArray());
        await _hub.PullAsync();
        Assert.Equal("{}", File.ReadAllText(Path.Combine(Path.GetDirectoryName(Weights)!, "twin.json")));
        Assert.Equal("{}", File.ReadAllText(Path.Combine(Path.GetDirectoryName(Weights)!, "config.json")));
        Assert.Single(_hub.Server.Requests, r => r.Target.EndsWith("unet/config.json", StringComparison.Ordinal)
            || r.Target.EndsWith("unet/twin.json", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Pull_BlobOfAnEarlierPull_IsCopiedAsOtherSnapshotsMayNeedIt()
    {
        Directory.CreateDirectory(_hub.Blobs);
        File.WriteAllBytes(_hub.WeightsBlob, HubWorkbench.Weights);
        await _hub.PullAsync();
        Assert.Equal(HubWorkbench.Weights, File.ReadAllBytes(Weights));
        Assert.Equal(HubWorkbench.Weights, File.ReadAllBytes(_hub.WeightsBlob));
    }
}

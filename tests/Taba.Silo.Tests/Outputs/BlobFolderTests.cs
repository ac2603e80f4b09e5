using System.Text.Json.Nodes;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Taba.Diffusion.Tensors;
using Taba.Grains;
using Taba.Grains.Stages;
using Taba.Grains.Sweeps;
using Taba.Silo.Outputs;
using Taba.Storage.Manifests;
using Taba.Storage.Objects;
using Taba.Storage.RunFolders;
using Taba.Testing.Stores;
using Taba.Testing;

namespace Taba.Silo.Tests.Outputs;

/// <summary>Run folders that are assembled from blobs to blobs.</summary>
[Trait(Needs.Trait, Needs.Process)]
public sealed class BlobFolderTests(BlobServer server, ComputedSweep sweep) : IClassFixture<ComputedSweep>, IAsyncLifetime
{
    static readonly CancellationToken s_none = CancellationToken.None;

    readonly TestFolder _folder = new();
    BlobContainerClient _container = null!;
    BlobObjects _objects = null!;
    TensorStore _store = null!;

    string Scratch => _folder["scratch"];

    public async ValueTask InitializeAsync()
    {
        _container = await server.ContainerAsync();
        _objects = new BlobObjects(_container, Scratch, copies: false);
        _store = await sweep.CopyAsync(_objects);
    }

    public ValueTask DisposeAsync()
    {
        _objects?.Dispose();
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }

    [Theory]
    [InlineData(TensorFormat.Safetensors)]
    [InlineData(TensorFormat.Pt)]
    [InlineData(TensorFormat.Npy)]
    public async Task Write_AnyFormat_BytesOfTheFolderOnDisk(TensorFormat format)
    {
        var blobs = BlobPlace.At(_objects, "blob:june/gaussian");
        using var writer = Writer(_store, format);
        using var onDisk = Writer(sweep.Store, format);
        foreach (var run in sweep.Plan.Runs)
        {
            await writer.WriteAsync(sweep.Plan, run, blobs.Below(run.Slug), s_none);
            await onDisk.WriteAsync(sweep.Plan, run, OutputFolder.At(_folder["disk", run.Slug]), s_none);
        }

        await DownloadAsync("runs/june/gaussian/", _folder["blobs"]);
        var digests = SweepFiles.Digests(_folder["disk"]);
        Assert.Empty(SweepFiles.Differences(digests, SweepFiles.Digests(_folder["blobs"])));
        Assert.Contains(digests.Keys, name => name.EndsWith("all_t_eps_latents" + format.Extension(), StringComparison.Ordinal));
        foreach (var run in sweep.Plan.Runs)
            Assert.Equal(Manifest(_folder["disk", run.Slug]), Manifest(_folder["blobs", run.Slug]));
        Assert.Equal(
            sweep.Plan.Runs.Select(r => $"{blobs.Place}/{r.Slug}").Order(StringComparer.Ordinal), blobs.Folders().Select(f => f.Place));
        // Nothing was copied to this machine: a store that copies has a folder for it.
        Assert.Empty(Directory.EnumerateDirectories(Scratch, "copies", SearchOption.AllDirectories));
        Assert.All(
            Directory.EnumerateFiles(Scratch, "*", SearchOption.AllDirectories), file => Assert.Equal("lock", Path.GetFileName(file)));
        ReadRows(blobs.Below(sweep.Plan.Runs[0].Slug), _folder["disk", sweep.Plan.Runs[0].Slug], "samples" + format.Extension());
    }

    [Fact]
    public async Task Write_StoreLostRowsThatDidNotFail_IsRefused()
    {
        var run = sweep.Plan.Runs[0];
        var stage = sweep.Plan.Stages[0].Key;
        await _objects.DeleteAllAsync($"stages/{stage}/cells/0000000032/", s_none);
        using var writer = Writer(_store, TensorFormat.Safetensors);
        var folder = BlobPlace.At(_objects, "blob:lost").Below(run.Slug);

        var error = await Assert.ThrowsAsync<DamagedRowsException>(() => writer.WriteAsync(sweep.Plan, run, folder, s_none));

        Assert.Equal((stage, new RowRange(32, 64)), (error.StageKey, error.Rows));
        Assert.Contains("rows [32, 64)", error.Message, StringComparison.Ordinal);
        Assert.Contains(stage, error.Message, StringComparison.Ordinal);
        // Rows that failed are no loss.
        var failed = new StageStatus(
            stage, StageKind.Sample, 64, RowSet.Of(new RowRange(0, 32)), 0, 32, 0, 0, 0, [new(stage, 32, 0, "not a number")], Fault: null)
        {
            Failed = [new(FailureKind.Other, RowSet.Of(new RowRange(32, 64)))],
        };
        var written = await writer.WriteAsync(
            sweep.Plan, run, folder, new(sweep.Plan.SweepId, 1, SweepState.CompletedWithFailures, [failed], Fault: null), s_none);
        Assert.Equal([new RunFailedRows(stage, "Other", 32, 64)], written.Failed.AsEnumerable());
        Assert.Equal("not a number", Assert.Single(written.Failures).Reason);
    }

    [Fact]
    public async Task Write_FolderThatIsCurrent_WritesNothing()
    {
        var (plan, run) = (sweep.Plan, sweep.Plan.Runs[0]);
        var blobs = BlobPlace.At(_objects, "blob:x");
        using (var writer = Writer(_store))
            await writer.WriteAsync(plan, run, blobs, s_none);
        var before = await VersionsAsync();

        using (var again = Writer(_store))
            await again.WriteAsync(plan, run, blobs, s_none);

        Assert.True(before.Count > 5);
        Assert.Equal(before, await VersionsAsync());
        Assert.True(RunFolder.Read(blobs)!.Holds(plan, run, blobs, TensorFormat.Safetensors));
        Assert.Null(RunFolderCheck.Conflict(plan, run, blobs));
    }

    [Fact]
    public async Task Write_TensorThatIsGone_IsWrittenAgain()
    {
        var (plan, run) = (sweep.Plan, sweep.Plan.Runs[0]);
        var blobs = BlobPlace.At(_objects, "blob:x");
        using var writer = Writer(_store);
        await writer.WriteAsync(plan, run, blobs, s_none);
        await _container.DeleteBlobAsync("runs/x/samples.safetensors");
        Assert.False(RunFolder.Read(blobs)!.Holds(plan, run, blobs, TensorFormat.Safetensors));

        await writer.WriteAsync(plan, run, blobs, s_none);

        Assert.True(RunFolder.Read(blobs)!.Holds(plan, run, blobs, TensorFormat.Safetensors));
    }

    [Theory]
    [InlineData("latents.safetensors")]
    [InlineData("metrics.json")]
    [InlineData("manifest.json")]
    public async Task Write_InterruptedAnywhere_NoManifestAndTheNextTryEnds(string file)
    {
        var (plan, run) = (sweep.Plan, sweep.Plan.Runs[0]);
        var blobs = BlobPlace.At(_objects, "blob:x");
        // An older state of the folder, which no longer counts once the first file is replaced.
        using (var old = Writer(_store, TensorFormat.Npy))
            await old.WriteAsync(plan, run, blobs, s_none);
        using (var writer = Writer(_store))
            await Assert.ThrowsAsync<StoreException>(() => writer.WriteAsync(
                plan, run, new OutputFolder(new FailingObjects(_objects, $"runs/x/{file}"), "runs/x/"), s_none));

        Assert.Null(RunFolder.Read(blobs));
        Assert.Null(RunFolderCheck.Conflict(plan, run, blobs));
        var names = await NamesAsync("runs/");
        Assert.Contains("runs/x/samples.safetensors", names);
        Assert.Equal(file == "latents.safetensors", !names.Contains("runs/x/latents.safetensors"));

        using (var again = Writer(_store))
            await again.WriteAsync(plan, run, blobs, s_none);
        Assert.True(RunFolder.Read(blobs)!.Holds(plan, run, blobs, TensorFormat.Safetensors));
    }

    [Fact]
    public async Task Conflict_OtherStages_NamesTheFieldAndThePlace()
    {
        var blobs = BlobPlace.At(_objects, "blob:x");
        using var writer = Writer(_store);
        await writer.WriteAsync(sweep.Plan, sweep.Plan.Runs[0], blobs, s_none);

        var sentence = RunFolderCheck.Conflict(sweep.OtherPlan, sweep.OtherPlan.Runs[0], blobs);

        Assert.Contains($"{blobs.Place} holds another run", sentence, StringComparison.Ordinal);
        Assert.Contains("420", sentence, StringComparison.Ordinal);
        Assert.Contains("421", sentence, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Write_DamagedPart_IsRefusedBeforeAFileIsThere()
    {
        var blobs = BlobPlace.At(_objects, "blob:x");
        var stage = sweep.Plan.Stages[0].Key;
        var part = _container.GetBlobClient((await _store.ListAsync(stage, s_none))[1].Objects.Single(o => o.Name == "samples").Path);
        var bytes = (await part.DownloadContentAsync()).Value.Content.ToArray();
        bytes[^5] ^= 1;
        await part.UploadAsync(new BinaryData(bytes), overwrite: true);

        using var writer = Writer(_store);
        var refused = await Assert.ThrowsAsync<DamagedRowsException>(
            () => writer.WriteAsync(sweep.Plan, sweep.Plan.Runs[0], blobs, s_none));

        Assert.Contains("digest", refused.Message, StringComparison.Ordinal);
        var names = await NamesAsync("runs/");
        Assert.DoesNotContain("runs/x/samples.safetensors", names);
        Assert.DoesNotContain("runs/x/manifest.json", names);
    }

    [Theory]
    [InlineData("../../store/x.safetensors")]
    [InlineData("..")]
    [InlineData("a\\b.safetensors")]
    public async Task Read_ManifestThatNamesForeignFiles_HoldsNothing(string file)
    {
        var (plan, run) = (sweep.Plan, sweep.Plan.Runs[0]);
        var blobs = BlobPlace.At(_objects, "blob:x");
        using var writer = Writer(_store);
        await writer.WriteAsync(plan, run, blobs, s_none);
        var manifest = JsonNode.Parse(blobs.Read("manifest.json"))!;
        manifest["tensors"]![0]!["file"] = file;
        blobs.Write("manifest.json", System.Text.Encoding.UTF8.GetBytes(manifest.ToJsonString()));

        Assert.False(RunFolder.Read(blobs)!.Holds(plan, run, blobs, TensorFormat.Safetensors));
        Assert.Null(blobs.Open(file));
        Assert.Throws<StoreException>(() => blobs.Write(file, "x"u8));
        await writer.WriteAsync(plan, run, blobs, s_none);
        Assert.True(RunFolder.Read(blobs)!.Holds(plan, run, blobs, TensorFormat.Safetensors));
    }

    [Fact]
    public async Task Read_ContainerThatIsGone_SaysSo()
    {
        var blobs = BlobPlace.At(_objects, "blob:x");
        await _container.DeleteAsync();
        Assert.Contains(
            "container is not there", Assert.Throws<StoreException>(() => RunFolder.Read(blobs)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("blob:")]
    [InlineData("blob:/x")]
    [InlineData("blob:x/")]
    [InlineData("blob:x//y")]
    [InlineData("blob:..")]
    [InlineData("blob:x/../store")]
    [InlineData("blob:./x")]
    [InlineData("blob:x/.hidden")]
    [InlineData("blob:x./y")]
    [InlineData("blob:x..y")]
    [InlineData("blob:x?y")]
    [InlineData("blob:x#y")]
    [InlineData("blob:%2e%2e/x")]
    [InlineData("blob:x\ny")]
    [InlineData("blob:x\n")]
    [InlineData("blob:x\\y")]
    [InlineData("blob:ü")]
    [InlineData("BLOB:https://elsewhere/x")]
    public void At_HostilePrefix_IsBadInput(string place)
    {
        Assert.True(BlobPlace.Is(place));
        var refused = Assert.Throws<BadInputException>(() => BlobPlace.At(_objects, place));
        Assert.Contains("blob:PREFIX is", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refused.Message);
    }

    [Fact]
    public void At_LongestPrefix_IsTakenAndALongerOneIsNot()
    {
        Assert.EndsWith(
            "/runs/" + new string('a', 300), BlobPlace.At(_objects, "blob:" + new string('a', 300)).Place, StringComparison.Ordinal);
        Assert.Throws<BadInputException>(() => BlobPlace.At(_objects, "blob:" + new string('a', 301)));
        Assert.EndsWith("/runs/June_2.1/a-b", BlobPlace.At(_objects, "Blob:June_2.1/a-b").Place, StringComparison.Ordinal);
        Assert.False(BlobPlace.Is("./blob:x"));
    }

    static RunFolderWriter Writer(TensorStore store, TensorFormat format = TensorFormat.Safetensors) =>
        new(store, new RunFolderOptions { Format = format }, TimeProvider.System);

    /// <summary>A manifest without its time.</summary>
    static string Manifest(string folder)
    {
        var manifest = JsonNode.Parse(File.ReadAllBytes(Path.Combine(folder, RunFolder.ManifestName)))!.AsObject();
        Assert.True(manifest.Remove("written_at"));
        return manifest.ToJsonString();
    }

    static void ReadRows(OutputFolder folder, string directory, string file)
    {
        using var reader = folder.Open(file)!;
        using var remote = TensorFile.Open(file, reader.Length, reader.Read);
        using var local = TensorFile.Open(Path.Combine(directory, file));
        var (far, near) = (remote.Single("samples"), local.Single("samples"));
        Assert.Equal(near.Shape, far.Shape);
        var (expected, actual) = (new byte[3 * near.RowBytes], new byte[3 * near.RowBytes]);
        near.ReadRows(60, 3, expected);
        far.ReadRows(60, 3, actual);
        Assert.Equal(expected, actual);
    }

    async Task<List<string>> NamesAsync(string prefix) =>
        await _container.GetBlobsAsync(new GetBlobsOptions { Prefix = prefix }).Select(b => b.Name).ToListAsync();

    async Task<List<(string Name, ETag? Version)>> VersionsAsync() =>
        await _container.GetBlobsAsync(new GetBlobsOptions { Prefix = "runs/" }).Select(b => (b.Name, b.Properties.ETag)).ToListAsync();

    async Task DownloadAsync(string prefix, string folder)
    {
        foreach (var name in await NamesAsync(prefix))
        {
            var path = Path.Combine(folder, name[prefix.Length..]);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            await _container.GetBlobClient(name).DownloadToAsync(path);
        }
    }

    /// <summary>Fails where a process could be killed: in the middle of a file.</summary>
    sealed class FailingObjects(IObjectStore objects, string at) : ObservedObjects(objects)
    {
        public override IObjectWriter Create(string name, long bytes) =>
            name == at ? new FailingWriter(base.Create(name, bytes)) : base.Create(name, bytes);

        public override Task ReplaceAsync(string name, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) =>
            name == at ? throw new StoreException("killed") : base.ReplaceAsync(name, bytes, cancellationToken);
    }

    sealed class FailingWriter(IObjectWriter writer) : IObjectWriter
    {
        int _writes;

        public void Write(ReadOnlySpan<byte> bytes)
        {
            if (++_writes == 2)
                throw new StoreException("killed");
            writer.Write(bytes);
        }

        public void Complete(ReadOnlySpan<byte> head) => writer.Complete(head);

        public void Dispose() => writer.Dispose();
    }
}

using System.Text.Json.Nodes;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using Taba.Diffusion.Tensors;
using Taba.Grains;
using Taba.Grains.Stages;
using Taba.Silo.Outputs;
using Taba.Silo.Storage;
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
    BlobTensorStore _store = null!;

    string Scratch => _folder["scratch"];

    public async ValueTask InitializeAsync()
    {
        _container = await server.ContainerAsync();
        _store = await sweep.CopyAsync(_container, Scratch);
    }

    public ValueTask DisposeAsync()
    {
        _store?.Dispose();
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }

    [Theory]
    [InlineData(TensorFormat.Safetensors)]
    [InlineData(TensorFormat.Pt)]
    [InlineData(TensorFormat.Npy)]
    public async Task Write_AnyFormat_BytesOfTheFolderOnDisk(TensorFormat format)
    {
        var blobs = BlobFolder.At(_container, "blob:june/gaussian");
        using var writer = Writer(_store, format);
        using var onDisk = Writer(sweep.Store, format);
        foreach (var run in sweep.Plan.Runs)
        {
            await writer.WriteAsync(sweep.Plan, run, blobs.Below(run.Slug), [], s_none);
            await onDisk.WriteAsync(sweep.Plan, run, new DirectoryFolder(_folder["disk", run.Slug]), [], s_none);
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
        await _container.GetBlobClient(StorePaths.CellPath(stage, 32)).DeleteAsync();
        using var writer = Writer(_store, TensorFormat.Safetensors);
        var folder = BlobFolder.At(_container, "blob:lost").Below(run.Slug);

        var error = await Assert.ThrowsAsync<StoreException>(() => writer.WriteAsync(sweep.Plan, run, folder, [], s_none));

        Assert.Contains("rows [32, 64)", error.Message, StringComparison.Ordinal);
        Assert.Contains(stage, error.Message, StringComparison.Ordinal);
        // Rows that failed are no loss.
        await writer.WriteAsync(
            sweep.Plan, run, folder, [.. Enumerable.Range(32, 32).Select(sample => new SampleFailure(stage, sample, 0, "not a number"))],
            s_none);
    }

    [Theory]
    [InlineData(TensorFormat.Safetensors, 4096)]
    [InlineData(TensorFormat.Pt, 4096)]
    [InlineData(TensorFormat.Pt, 1 << 20)]
    [InlineData(TensorFormat.Npy, 1000)]
    public async Task Sink_ManyBlocks_BytesOfTheFileOnDisk(TensorFormat format, int blockBytes)
    {
        var bytes = new byte[40_000];
        new Random(blockBytes).NextBytes(bytes);
        var blob = _container.GetBlockBlobClient("file");
        foreach (var create in new Func<TensorFileWriter>[]
        {
            () => TensorFileWriter.Create(
                "file", _ => new BlobFileSink(blob, "file", blockBytes), format, "x", TorchSharp.torch.ScalarType.Float32, [100, 100]),
            () => TensorFileWriter.Create(_folder["file"], format, "x", TorchSharp.torch.ScalarType.Float32, [100, 100]),
        })
        {
            using var writer = create();
            writer.Write(bytes.AsSpan(0, 9));
            writer.Write(bytes.AsSpan(9, 30_000));
            writer.Write(bytes.AsSpan(30_009));
            writer.Complete();
        }

        Assert.Equal(await File.ReadAllBytesAsync(
            _folder["file"]), (await _container.GetBlobClient("file").DownloadContentAsync()).Value.Content.ToArray());
    }

    [Fact]
    public async Task Sink_GivenUp_LeavesWhatWasThere()
    {
        var folder = BlobFolder.At(_container, "blob:x");
        folder.Write("file", "before"u8);
        using (var sink = new BlobFileSink(_container.GetBlockBlobClient("runs/x/file"), "file", 10))
            sink.Write(new byte[95]);

        Assert.Equal("before"u8.ToArray(), ((IOutputFolder)folder).Read("file"));
        Assert.Equal(["runs/x/file"], await NamesAsync("runs/"));
    }

    [Fact]
    public async Task Write_FolderThatIsCurrent_WritesNothing()
    {
        var (plan, run) = (sweep.Plan, sweep.Plan.Runs[0]);
        var blobs = BlobFolder.At(_container, "blob:x");
        using (var writer = Writer(_store))
            await writer.WriteAsync(plan, run, blobs, [], s_none);
        var before = await VersionsAsync();

        using (var again = Writer(_store))
            await again.WriteAsync(plan, run, blobs, [], s_none);

        Assert.True(before.Count > 5);
        Assert.Equal(before, await VersionsAsync());
        Assert.True(RunFolder.Read(blobs)!.Holds(plan, run, blobs, TensorFormat.Safetensors));
        Assert.Null(RunFolderCheck.Conflict(plan, run, blobs));
    }

    [Fact]
    public async Task Write_TensorThatIsGone_IsWrittenAgain()
    {
        var (plan, run) = (sweep.Plan, sweep.Plan.Runs[0]);
        var blobs = BlobFolder.At(_container, "blob:x");
        using var writer = Writer(_store);
        await writer.WriteAsync(plan, run, blobs, [], s_none);
        await _container.DeleteBlobAsync("runs/x/samples.safetensors");
        Assert.False(RunFolder.Read(blobs)!.Holds(plan, run, blobs, TensorFormat.Safetensors));

        await writer.WriteAsync(plan, run, blobs, [], s_none);

        Assert.True(RunFolder.Read(blobs)!.Holds(plan, run, blobs, TensorFormat.Safetensors));
    }

    [Theory]
    [InlineData("latents.safetensors")]
    [InlineData("metrics.json")]
    [InlineData("manifest.json")]
    public async Task Write_InterruptedAnywhere_NoManifestAndTheNextTryEnds(string file)
    {
        var (plan, run) = (sweep.Plan, sweep.Plan.Runs[0]);
        var blobs = BlobFolder.At(_container, "blob:x");
        // An older state of the folder, which no longer counts once the first file is replaced.
        using (var old = Writer(_store, TensorFormat.Npy))
            await old.WriteAsync(plan, run, blobs, [], s_none);
        using (var writer = Writer(_store))
            await Assert.ThrowsAsync<StoreException>(() => writer.WriteAsync(plan, run, new FailingFolder(blobs, file), [], s_none));

        Assert.Null(RunFolder.Read(blobs));
        Assert.Null(RunFolderCheck.Conflict(plan, run, blobs));
        var names = await NamesAsync("runs/");
        Assert.Contains("runs/x/samples.safetensors", names);
        Assert.Equal(file == "latents.safetensors", !names.Contains("runs/x/latents.safetensors"));

        using (var again = Writer(_store))
            await again.WriteAsync(plan, run, blobs, [], s_none);
        Assert.True(RunFolder.Read(blobs)!.Holds(plan, run, blobs, TensorFormat.Safetensors));
    }

    [Fact]
    public async Task Conflict_OtherStages_NamesTheFieldAndThePlace()
    {
        var blobs = BlobFolder.At(_container, "blob:x");
        using var writer = Writer(_store);
        await writer.WriteAsync(sweep.Plan, sweep.Plan.Runs[0], blobs, [], s_none);

        var sentence = RunFolderCheck.Conflict(sweep.OtherPlan, sweep.OtherPlan.Runs[0], blobs);

        Assert.Contains($"{blobs.Place} holds another run", sentence, StringComparison.Ordinal);
        Assert.Contains("420", sentence, StringComparison.Ordinal);
        Assert.Contains("421", sentence, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Write_DamagedPart_IsRefusedBeforeAFileIsThere()
    {
        var blobs = BlobFolder.At(_container, "blob:x");
        var stage = sweep.Plan.Stages[0].Key;
        var part = _container.GetBlobClient((await _store.ListAsync(stage, s_none))[1].Objects.Single(o => o.Name == "samples").Path);
        var bytes = (await part.DownloadContentAsync()).Value.Content.ToArray();
        bytes[^5] ^= 1;
        await part.UploadAsync(new BinaryData(bytes), overwrite: true);

        using var writer = Writer(_store);
        var refused = await Assert.ThrowsAsync<StoreException>(() => writer.WriteAsync(sweep.Plan, sweep.Plan.Runs[0], blobs, [], s_none));

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
        var blobs = BlobFolder.At(_container, "blob:x");
        using var writer = Writer(_store);
        await writer.WriteAsync(plan, run, blobs, [], s_none);
        var manifest = JsonNode.Parse(((IOutputFolder)blobs).Read("manifest.json"))!;
        manifest["tensors"]![0]!["file"] = file;
        blobs.Write("manifest.json", System.Text.Encoding.UTF8.GetBytes(manifest.ToJsonString()));

        Assert.False(RunFolder.Read(blobs)!.Holds(plan, run, blobs, TensorFormat.Safetensors));
        Assert.Null(blobs.Open(file));
        Assert.Throws<StoreException>(() => blobs.Write(file, "x"u8));
        await writer.WriteAsync(plan, run, blobs, [], s_none);
        Assert.True(RunFolder.Read(blobs)!.Holds(plan, run, blobs, TensorFormat.Safetensors));
    }

    [Fact]
    public async Task Read_ContainerThatIsGone_SaysSo()
    {
        var blobs = BlobFolder.At(_container, "blob:x");
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
        Assert.True(BlobFolder.IsPlace(place));
        var refused = Assert.Throws<BadInputException>(() => BlobFolder.At(_container, place));
        Assert.Contains("blob:PREFIX is", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refused.Message);
    }

    [Fact]
    public void At_LongestPrefix_IsTakenAndALongerOneIsNot()
    {
        Assert.EndsWith(
            "/runs/" + new string('a', 300), BlobFolder.At(_container, "blob:" + new string('a', 300)).Place, StringComparison.Ordinal);
        Assert.Throws<BadInputException>(() => BlobFolder.At(_container, "blob:" + new string('a', 301)));
        Assert.EndsWith("/runs/June_2.1/a-b", BlobFolder.At(_container, "Blob:June_2.1/a-b").Place, StringComparison.Ordinal);
        Assert.False(BlobFolder.IsPlace("./blob:x"));
    }

    static RunFolderWriter Writer(ITensorStore store, TensorFormat format = TensorFormat.Safetensors) =>
        new(store, new RunFolderOptions { Format = format }, TimeProvider.System);

    /// <summary>A manifest without its time.</summary>
    static string Manifest(string folder)
    {
        var manifest = JsonNode.Parse(File.ReadAllBytes(Path.Combine(folder, RunFolder.ManifestName)))!.AsObject();
        Assert.True(manifest.Remove("written_at"));
        return manifest.ToJsonString();
    }

    static void ReadRows(IOutputFolder folder, string directory, string file)
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
    sealed class FailingFolder(IOutputFolder folder, string at) : IOutputFolder
    {
        public string Place => folder.Place;

        public IOutputFolder Below(string name) => folder.Below(name);

        public IReadOnlyList<IOutputFolder> Folders() => folder.Folders();

        public long? Length(string file) => folder.Length(file);

        public IObjectReader? Open(string file) => folder.Open(file);

        public void Prepare() => folder.Prepare();

        public void Delete(string file) => folder.Delete(file);

        public IFileSink Create(string file, long bytes) =>
            file == at ? new FailingSink(folder.Create(file, bytes)) : folder.Create(file, bytes);

        public void Write(string file, ReadOnlySpan<byte> bytes)
        {
            if (file == at)
                throw new StoreException("killed");
            folder.Write(file, bytes);
        }

        public string? LocalPath(string file) => folder.LocalPath(file);
    }

    sealed class FailingSink(IFileSink sink) : IFileSink
    {
        int _writes;

        public void Write(ReadOnlySpan<byte> bytes)
        {
            if (++_writes == 2)
                throw new StoreException("killed");
            sink.Write(bytes);
        }

        public void Complete(ReadOnlySpan<byte> head) => sink.Complete(head);

        public void Dispose() => sink.Dispose();
    }
}

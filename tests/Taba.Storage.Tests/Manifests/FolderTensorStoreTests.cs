using System.Text.Json.Nodes;
using Taba.Storage.Objects;
using Taba.Testing.Stores;
using Taba.Testing;
using static Taba.Silo.Tests.Storage.StoreExamples;

namespace Taba.Storage.Tests.Manifests;

public sealed class FolderTensorStoreTests : TensorStoreSuite, IDisposable
{
    static readonly CancellationToken s_none = CancellationToken.None;
    readonly TestFolder _folder = new();

    protected override ITensorStore OpenStore() => new FolderTensorStore(_folder.Path);

    FolderTensorStore Store() => new(_folder.Path);

    string ManifestPath => _folder["store", Key, "parts", "00000000", "00000000.json"];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("", "cannot be used")]
    [InlineData("{", "cannot be used")]
    [InlineData("null", "cannot be used")]
    [InlineData("{}", "cannot be used")]
    [InlineData("[1]", "cannot be used")]
    public async Task List_DamagedManifest_NamesTheFileAndWhatWouldDo(string text, string expected)
    {
        await PublishAsync(Store(), Attempt(), new(0, 32));
        await File.WriteAllTextAsync(ManifestPath, text);

        var failure = await Assert.ThrowsAsync<StoreException>(() => Store().ListAsync(Key, s_none));

        Assert.Contains(expected, failure.Message, StringComparison.Ordinal);
        Assert.Contains(ManifestPath, failure.Message, StringComparison.Ordinal);
        Assert.Contains("delete the file", failure.Message, StringComparison.Ordinal);
        Assert.False(failure.DiskFull);
    }

    [Theory]
    [InlineData("schema", "2", "newer version")]
    [InlineData("stage_key", "\"ff\"", "speaks of stage ff")]
    [InlineData("row_start", "1", "name is that of another part")]
    [InlineData("row_start", "-1", "speaks of rows")]
    [InlineData("row_end", "0", "speaks of rows")]
    [InlineData("objects", "[]", "names no objects")]
    [InlineData("objects", "[null]", "cannot be used")]
    [InlineData("supplement", "true", "name is that of another part")]
    public async Task List_ManifestThatContradictsItsName_IsRefused(string field, string value, string expected)
    {
        await PublishAsync(Store(), Attempt(), new(0, 32));
        await EditAsync(manifest => manifest[field] = JsonNode.Parse(value));
        var failure = await Assert.ThrowsAsync<StoreException>(() => Store().ListAsync(Key, s_none));
        Assert.Contains(expected, failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("path", "\"../../../../etc/passwd\"")]
    [InlineData("data_offset", "-1")]
    [InlineData("bytes", "9223372036854775807")]
    [InlineData("steps", "null")]
    public async Task List_ManifestWithAHostileObject_IsRefused(string field, string value)
    {
        await PublishAsync(Store(), Attempt(), new(0, 32));
        await EditAsync(manifest =>
        {
            var entry = manifest["objects"]![0]!;
            entry["data_offset"] = 8;
            entry[field] = JsonNode.Parse(value);
        });
        await Assert.ThrowsAsync<StoreException>(() => Store().ListAsync(Key, s_none));
    }

    [Fact]
    public async Task List_ManifestOfAbsurdSize_IsNotRead()
    {
        await PublishAsync(Store(), Attempt(), new(0, 32));
        using (var file = File.OpenWrite(ManifestPath))
            file.SetLength(1L << 30);
        var failure = await Assert.ThrowsAsync<StoreException>(() => Store().ListAsync(Key, s_none));
        Assert.Contains("bytes", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Open_ObjectReplacedByALink_IsRefused()
    {
        var store = Store();
        var entry = await PutAsync(store, Attempt(), [1]);
        var file = _folder[entry.Path.Split('/')];
        File.Delete(file);
        File.CreateSymbolicLink(file, "/etc/hostname");
        var failure = Assert.Throws<StoreException>(() => store.Open(entry.Path));
        Assert.Contains("symbolic link", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task DescribeStage_File_IsReadableByPeople()
    {
        await Store().DescribeStageAsync(Key, Spec(), s_none);
        var description = JsonNode.Parse(await File.ReadAllTextAsync(_folder["store", Key, "stage.json"]))!;
        Assert.Equal("10", (string?)description["fields"]!["num_inference_steps"]);
        Assert.Equal("noise", (string?)description["spec"]!["input"]!["rows"]);
        Assert.Equal(420, (int)description["spec"]!["input"]!["seed"]!);
    }

    [Fact]
    public async Task ListStages_DamagedDescription_TheStageIsStillThere()
    {
        await Store().DescribeStageAsync(Key, Spec(), s_none);
        await File.WriteAllTextAsync(_folder["store", Key, "stage.json"], "{");
        Assert.Null(Assert.Single(await Store().ListStagesAsync(s_none)).Description);
    }

    [Fact]
    public async Task SweepOrphans_AfterACrash_OnlyWhatManifestsNameIsLeft()
    {
        var store = Store();
        var published = Attempt();
        var kept = await PutAsync(store, published, [1]);
        await PutAsync(store, published, [2], "unnamed");
        Assert.True(await store.PublishAsync(Manifest(published, new(0, 32), kept), s_none));
        var lost = await PutAsync(store, Attempt(32, 2), [3]);
        await File.WriteAllBytesAsync(store.ScratchPath(Attempt(64, 3), "samples"), [4]);
        await File.WriteAllTextAsync(_folder["store", Key, "parts", "00000000", ".00000032.json.x.tmp"], "{");

        var deleted = Store().SweepOrphans();

        Assert.Equal(4, deleted);
        Assert.Equal([1], ReadAll(store, kept.Path));
        Assert.Throws<StoreException>(() => store.Open(lost.Path));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder["scratch"]));
        Assert.Single(Directory.EnumerateFileSystemEntries(_folder["store", Key, "parts", "00000000"]));
        Assert.Single(Directory.EnumerateDirectories(_folder["store", Key, "objects"]));
        Assert.Equal(0, Store().SweepOrphans());
    }

    [Fact]
    public async Task SweepOrphans_OfAge_WhatAttemptsMayStillPublishStays()
    {
        var store = Store();
        var published = Attempt();
        var kept = await PutAsync(store, published, [1]);
        Assert.True(await store.PublishAsync(Manifest(published, new(0, 32), kept), s_none));
        var left = await PutAsync(store, Attempt(32, 2), [2]);
        var living = Attempt(64, 3);
        var first = await PutAsync(store, living, [3]);
        var unfinished = store.ScratchPath(Attempt(96, 4), "samples");
        await File.WriteAllBytesAsync(unfinished, [4]);
        var halfWritten = _folder["store", Key, "parts", "00000000", ".00000032.json.x.tmp"];
        await File.WriteAllTextAsync(halfWritten, "{");
        Age(_folder[""]);
        var before = DateTimeOffset.UtcNow.AddDays(-1);
        // One object of it is old, the next has just come: it lives.
        var second = await PutAsync(store, living, [5], "latents");
        var next = store.ScratchPath(Attempt(128, 5), "samples");
        await File.WriteAllBytesAsync(next, [6]);

        Assert.Equal(3, await Store().SweepOrphansAsync(before, s_none));

        Assert.Equal([[1], [3], [5]], new[] { kept, first, second }.Select(e => ReadAll(store, e.Path)));
        Assert.Throws<StoreException>(() => store.Open(left.Path));
        Assert.Equal([false, false, true], new[] { unfinished, halfWritten, next }.Select(File.Exists));
        Assert.Equal(0, await Store().SweepOrphansAsync(before, s_none));
        Assert.True(
            await store.PublishAsync(Manifest(living, new(64, 96), first, second with { Kind = TensorKinds.State, Steps = [1] }), s_none));
    }

    [Fact]
    public async Task SweepOrphans_StageWithADamagedManifest_IsLeftAlone()
    {
        var store = Store();
        var attempt = Attempt();
        var entry = await PutAsync(store, attempt, [1]);
        await store.PublishAsync(Manifest(attempt, new(0, 32), entry), s_none);
        await File.WriteAllTextAsync(ManifestPath, "{");
        Assert.Equal(0, store.SweepOrphans());
        Assert.Equal([1], ReadAll(store, entry.Path));
    }

    [Fact]
    public async Task Prune_StagesNoRunNeeds_AreSaidThenRemoved()
    {
        var store = Store();
        foreach (var key in new[] { "aa", "bb", "cc" })
            await PublishAsync(store, Attempt(key: key), new(0, 32));
        var keep = new HashSet<string> { "bb" };

        var said = await store.PruneAsync(keep, dryRun: true, s_none);
        Assert.Equal(3, (await store.ListStagesAsync(s_none)).Length);
        var removed = await store.PruneAsync(keep, dryRun: false, s_none);

        Assert.Equal(["aa", "cc"], said.Select(s => s.Key));
        Assert.Equal(["aa", "cc"], removed.Select(s => s.Key));
        Assert.Equal("bb", Assert.Single(await store.ListStagesAsync(s_none)).Key);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder["scratch"]));
    }

    [Fact]
    [Trait(Needs.Trait, Needs.Process)]
    public async Task Publish_DiskIsFull_SaysSoAndContinuesWhenThereIsRoom()
    {
        using var disk = Disks.MountOrSkip();
        var store = new FolderTensorStore(Path.Combine(disk.Path, ".taba"));
        var attempt = Attempt();
        var entry = await PutAsync(store, attempt, [1]);
        disk.Fill();

        var failure = await Assert.ThrowsAsync<StoreException>(() => store.PublishAsync(Manifest(attempt, new(0, 32), entry), s_none));
        disk.MakeRoom();

        Assert.True(failure.DiskFull);
        Assert.Contains("is full: free some space; the same command continues", failure.Message, StringComparison.Ordinal);
        Assert.Empty(await store.ListAsync(Key, s_none));
        Assert.True(await store.PublishAsync(Manifest(attempt, new(0, 32), entry), s_none));
    }

    static void Age(string folder)
    {
        foreach (var path in Directory.EnumerateFileSystemEntries(folder, "*", SearchOption.AllDirectories))
            File.SetLastWriteTimeUtc(path, DateTime.UtcNow.AddDays(-2));
    }

    async Task EditAsync(Action<JsonNode> edit)
    {
        var manifest = JsonNode.Parse(await File.ReadAllTextAsync(ManifestPath))!;
        edit(manifest);
        await File.WriteAllTextAsync(ManifestPath, manifest.ToJsonString());
    }
}

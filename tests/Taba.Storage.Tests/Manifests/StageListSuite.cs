using System.Text;
using System.Text.Json.Nodes;
using Taba.Storage.Manifests;
using Taba.Storage.Objects;
using Taba.Testing;
using Taba.Testing.Stores;
using static Taba.Testing.Stores.StoreExamples;

namespace Taba.Storage.Tests.Manifests;

/// <summary>What a store says it holds.</summary>
public abstract class StageListSuite(StorePlace place) : StoreSuite(place)
{
    [Fact]
    public async Task HasStage_BeforeAndAfter_SaysSo()
    {
        var store = OpenStore();
        Assert.False(await store.HasStageAsync(Key, None));
        await store.DescribeStageAsync(Key, Spec(), None);
        Assert.True(await OpenStore().HasStageAsync(Key, None));
        Assert.False(await store.HasStageAsync(Key[..16], None));
    }

    [Fact]
    public async Task List_UnknownStage_IsEmpty() => Assert.Empty(await OpenStore().ListAsync(Key, None));

    [Fact]
    public async Task List_RowsOfALargeStage_GivesThoseThatHoldThem()
    {
        var store = OpenStore();
        foreach (var start in new[] { 96, 0, 32, 64 })
            Assert.True(await PublishAsync(store, Attempt(start), new(start, start + 32)));

        Assert.Equal([0, 32, 64, 96], (await store.ListAsync(Key, None)).Select(m => m.RowStart));
        Assert.Equal([32, 64], (await store.ListAsync(Key, new(40, 65), None)).Select(m => m.RowStart));
        Assert.Equal([32], (await store.ListAsync(Key, new(63, 64), None)).Select(m => m.RowStart));
        Assert.Empty(await store.ListAsync(Key, new(128, 200), None));
    }

    [Fact]
    public async Task DescribeStage_Twice_IsListedWithRowsAndSize()
    {
        var store = OpenStore();
        await store.DescribeStageAsync(Key, Spec(), None);
        await store.DescribeStageAsync(Key, Spec(), None);
        await PublishAsync(store, Attempt(), new(0, 32));
        await PublishAsync(store, Attempt(64), new(64, 96));

        var stage = Assert.Single(await OpenStore().ListStagesAsync(None).ToListAsync(None));

        Assert.Equal(Key, stage.Key);
        Assert.Equal(StageKey.Of(Spec()), StageKey.Of(stage.Spec!));
        Assert.Equal(RowSet.Of(new RowRange(0, 32), new RowRange(64, 96)), stage.Rows);
        Assert.True(stage.Bytes >= 4);
    }

    [Fact]
    public async Task RemoveStage_WithParts_NothingIsLeftAndTheRowsAreFree()
    {
        var store = OpenStore();
        var entry = await PutAsync(store, Attempt(), [1]);
        await PublishAsync(store, Attempt(), new(0, 32));
        await store.RemoveStageAsync(Key, None);
        await store.RemoveStageAsync(Key, None);

        Assert.Empty(await store.ListStagesAsync(None).ToListAsync(None));
        Assert.False(await store.HasStageAsync(Key, None));
        Assert.Empty(await NamesAsync("stages/"));
        Assert.Null(store.Open(entry.Path));
        Assert.True(await PublishAsync(store, Attempt(epoch: 2), new(0, 32)));
    }

    [Fact]
    public async Task List_RemovedAndComputedAnew_IsTheNewStageInEveryProcess()
    {
        // The other process has read the cell, and its newest version will have the same name again.
        var (one, other) = (OpenStore(), OpenStore());
        Assert.True(await PublishAsync(one, Attempt(epoch: 1), new(0, 32)));
        Assert.Equal(1, Assert.Single(await other.ListAsync(Key, None)).Epoch);
        await one.RemoveStageAsync(Key, None);
        Assert.True(await PublishAsync(one, Attempt(epoch: 22), new(0, 32)));

        Assert.Equal(22, Assert.Single(await other.ListAsync(Key, None)).Epoch);
        Assert.Equal(22, Assert.Single(await one.ListAsync(Key, None)).Epoch);
    }

    [Fact]
    public async Task List_AnotherPublishedMeanwhile_IsSeen()
    {
        var (one, other) = (OpenStore(), OpenStore());
        await PublishAsync(one, Attempt(), new(0, 5));
        Assert.Single(await other.ListAsync(Key, None));
        await PublishAsync(one, Attempt(epoch: 2), new(6, 32));
        await PublishAsync(one, Attempt(64), new(64, 96));
        Assert.Equal([0, 6, 64], (await other.ListAsync(Key, None)).Select(m => m.RowStart));
        Assert.Equal([6], (await other.ListAsync(Key, new(6, 7), None)).Select(m => m.RowStart));
    }

    [Fact]
    public async Task List_StrangeObjectsBeside_AreIgnored()
    {
        await PublishAsync(OpenStore(), Attempt(), new(0, 32));
        foreach (var name in new[] { "readme.txt", $"stages/{Key}/cells/x.json", $"stages/{Key}/cells/0000000000/v00000002.json.bak",
            $"stages/{Key}/cells/0000000000/v2.json", $"stages/{Key}/cells/0000000033/v00000001.json",
            $"stages/{Key}/cells/9999999999/v00000001.json", "stages/UPPER/cells/0000000000/v00000001.json" })
            await Objects.ReplaceAsync(name, "?"u8.ToArray(), None);
        var store = OpenStore();
        store.Damaged += (where, _) => Assert.Fail(where);
        Assert.Single(await store.ListAsync(Key, None));
        Assert.Single(await store.ListAsync(Key, new(0, 64), None));
        Assert.Equal(Key, Assert.Single(await store.ListStagesAsync(None).ToListAsync(None)).Key);
    }

    [Fact]
    public async Task List_AFullCell_KeepsItsManifestsInTheOrderOfRows()
    {
        var store = OpenStore();
        foreach (var row in Enumerable.Range(0, 32).Order(Comparer<int>.Create((a, b) => (a * 7 % 32).CompareTo(b * 7 % 32))))
            Assert.True(await PublishAsync(store, Attempt(row), new(row, row + 1)));
        Assert.Equal(Enumerable.Range(0, 32), (await OpenStore().ListAsync(Key, None)).Select(m => m.RowStart));
        Assert.Equal(32, (await NamesAsync($"stages/{Key}/cells/")).Count);
    }

    [Theory]
    [InlineData("{")]
    [InlineData("null")]
    [InlineData("")]
    public async Task ListStages_DamagedDescription_TheStageIsStillThere(string text)
    {
        await OpenStore().DescribeStageAsync(Key, Spec(), None);
        await ChangeAsync($"stages/{Key}/stage.json", _ => Encoding.UTF8.GetBytes(text));
        Assert.Null(Assert.Single(await OpenStore().ListStagesAsync(None).ToListAsync(None)).Spec);
    }

    [Fact]
    public async Task DescribeStage_ByTwoProcesses_TheFirstStaysAndPeopleCanReadIt()
    {
        await OpenStore().DescribeStageAsync(Key, Spec(), None);
        await OpenStore().DescribeStageAsync(Key, Spec() with { NumInferenceSteps = 11 }, None);
        var description = JsonNode.Parse(await Objects.ReadAsync($"stages/{Key}/stage.json", 1 << 20, None))!;
        Assert.Equal("10", (string?)description["fields"]!["num_inference_steps"]);
        Assert.Equal("noise", (string?)description["spec"]!["input"]!["rows"]);
        Assert.Equal(420, (int)description["spec"]!["input"]!["seed"]!);
    }
}

public sealed class FolderStageListTests() : StageListSuite(new FolderStorePlace());

[Trait(Needs.Trait, Needs.Process)]
public sealed class BlobStageListTests(BlobServer server) : StageListSuite(new BlobStorePlace(server));

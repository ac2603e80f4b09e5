using Taba.Storage.Checkpoints;
using Taba.Testing;
using Taba.Testing.Stores;
using static Taba.Storage.Tests.Checkpoints.CheckpointExamples;
using static Taba.Testing.Stores.StoreExamples;

namespace Taba.Storage.Tests.Checkpoints;

/// <summary>What a process that was killed left, where no attempt lives.</summary>
public abstract class LeftCheckpointSuite(StorePlace place) : StoreSuite(place)
{
    static string File(PartAttempt attempt) => $"stages/{Key}/checkpoints/{attempt.Name}";

    async Task LeaveAsync(PartAttempt attempt, params int[] samples)
    {
        await OpenStore().DescribeStageAsync(Key, Spec(), None);
        await Objects.ReplaceAsync(File(attempt), CheckpointFile.Encode([.. samples.Select(sample => Row(sample, 1))]), None);
    }

    [Fact]
    public async Task Clear_CheckpointsOfPublishedRows_GoAndTheOthersStay()
    {
        var (done, half, none, other) = (Attempt(), Attempt(), Attempt(), Attempt(32));
        await LeaveAsync(done, 0, 3);
        await LeaveAsync(half, 3, 5);
        await LeaveAsync(none, 5, 6);
        await LeaveAsync(other, 32);
        Assert.True(await PublishAsync(OpenStore(), Attempt(), new(0, 5)));

        await LeftCheckpoints.ClearAsync(OpenStore(), None);
        await LeftCheckpoints.ClearAsync(OpenStore(), None);

        Assert.Equal(
            new[] { half, none, other }.Select(File).Order(StringComparer.Ordinal), await NamesAsync($"stages/{Key}/checkpoints/"));
    }

    [Fact]
    public async Task Clear_CheckpointOfAnAttemptThatAddsToPublishedRows_StaysUntilItHasPublished()
    {
        var store = OpenStore();
        Assert.True(await PublishAsync(store, Attempt(epoch: 1), new(0, 32)));
        var adds = Attempt(epoch: 2);
        await LeaveAsync(adds, 0, 31);

        await LeftCheckpoints.ClearAsync(OpenStore(), None);
        Assert.Equal([File(adds)], await NamesAsync($"stages/{Key}/checkpoints/"));

        var kept = await PutAsync(store, adds, [9], "all_t_eps_samples", TensorKinds.Eps, 8, 9);
        Assert.True(await store.PublishAsync(Manifest(adds, new(0, 32), kept) with { Supplement = true }, None));
        await LeftCheckpoints.ClearAsync(OpenStore(), None);
        Assert.Empty(await NamesAsync($"stages/{Key}/checkpoints/"));
    }

    [Theory]
    [InlineData("torn")]
    [InlineData("empty")]
    [InlineData("text")]
    public async Task Clear_DamagedCheckpoint_GoesBecauseNobodyCanUseIt(string how)
    {
        var attempt = Attempt();
        await LeaveAsync(attempt, 0);
        await ChangeAsync(File(attempt), bytes => how == "torn" ? bytes[..^1] : how == "empty" ? [] : "no checkpoint at all"u8.ToArray());
        await LeftCheckpoints.ClearAsync(OpenStore(), None);
        Assert.Empty(await NamesAsync($"stages/{Key}/checkpoints/"));
    }

    [Fact]
    public async Task Clear_ScratchFiles_StayWithTheirCheckpointOnly()
    {
        var store = OpenStore();
        var (goesOn, over) = (Attempt(), Attempt(32));
        await LeaveAsync(goesOn, 0);
        foreach (var attempt in new[] { goesOn, over })
            await System.IO.File.WriteAllBytesAsync(store.ScratchPath(attempt, "captures"), [1]);
        await LeftCheckpoints.ClearAsync(store, None);
        Assert.NotNull(store.FindScratch(goesOn, "captures"));
        Assert.Null(store.FindScratch(over, "captures"));
    }
}

public sealed class FolderLeftCheckpointTests() : LeftCheckpointSuite(new FolderStorePlace());

[Trait(Needs.Trait, Needs.Process)]
public sealed class BlobLeftCheckpointTests(BlobServer server) : LeftCheckpointSuite(new BlobStorePlace(server));

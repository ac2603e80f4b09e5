using CsCheck;
using Taba.Storage.Manifests;
using Taba.Storage.Objects;
using Taba.Testing;
using Taba.Testing.Stores;
using static Taba.Testing.Stores.StoreExamples;

namespace Taba.Storage.Tests.Manifests;

/// <summary>What attempts left is deleted by reference, and never what is published or still may be.</summary>
public abstract class SweepSuite(StorePlace place, int stories) : StoreSuite(place)
{
    static readonly Func<string, Task<IReadOnlySet<Guid>>> s_nobody = _ => Task.FromResult<IReadOnlySet<Guid>>(new HashSet<Guid>());

    static Func<string, Task<IReadOnlySet<Guid>>> Living(params Guid[] attempts) =>
        _ => Task.FromResult<IReadOnlySet<Guid>>(attempts.ToHashSet());

    /// <summary>A store whose first call of a kind waits in the middle until it is let on.</summary>
    (TensorStore Store, Task Reached, TaskCompletionSource LetOn) Held(string call, Func<string, bool> name)
    {
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var letOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var objects = new ObservedObjects(Open())
        {
            Before = async (kind, what) =>
            {
                if (kind == call && name(what) && reached.TrySetResult())
                    await letOn.Task;
            },
        };
        return (new(objects), reached.Task, letOn);
    }

    static bool IsVersion(string name) => name.Contains("/cells/", StringComparison.Ordinal);

    /// <summary>No manifest names what is not there, and no row has two.</summary>
    async Task AssertWholeAsync()
    {
        var manifests = await OpenStore().ListAsync(Key, None);
        foreach (var entry in manifests.SelectMany(m => m.Objects))
            Assert.NotNull(await Objects.LengthAsync(entry.Path, None));
        Assert.Equal(manifests.Sum(m => m.Rows.Count), RowSet.Of([.. manifests.Select(m => m.Rows)]).Count);
    }

    [Fact]
    public async Task Sweep_WhilePublisherIsBetweenItsCheckAndItsWrite_ThePublisherLoses()
    {
        var (store, reached, letOn) = Held("create", IsVersion);
        await store.DescribeStageAsync(Key, Spec(), None);
        var attempt = Attempt();
        var entry = await PutAsync(store, attempt, [1]);
        var publication = store.PublishAsync(Manifest(attempt, new(0, 32), entry), None);
        await reached;

        Assert.Equal(1, await OpenStore().SweepAsync(s_nobody, None));
        letOn.SetResult();

        Assert.False(await publication);
        Assert.Empty(await OpenStore().ListAsync(Key, None));
        Assert.Null(await Objects.LengthAsync(entry.Path, None));
        Assert.False(await OpenStore().PublishAsync(Manifest(attempt, new(0, 32), entry), None));
        Assert.True(await PublishAsync(OpenStore(), Attempt(epoch: 2), new(0, 32)));
        await AssertWholeAsync();
    }

    [Theory]
    [InlineData("create")]
    [InlineData("list")]
    [InlineData("read")]
    public async Task Publish_WhileSweepIsAboutToFence_IsPublishedAndItsObjectStays(string heldAt)
    {
        var (attempt, other) = (Attempt(), Attempt());
        Assert.True(await PublishAsync(OpenStore(), Attempt(32), new(32, 64)));
        var entry = await PutAsync(OpenStore(), attempt, [1]);
        var lost = await PutAsync(OpenStore(), other, [1]);
        // Held where it has seen the object and does not know yet whether a cell names it.
        var (sweeper, reached, letOn) = Held(heldAt, IsVersion);
        var sweep = sweeper.SweepAsync(s_nobody, None);
        await reached;
        Assert.True(await OpenStore().PublishAsync(Manifest(attempt, new(0, 32), entry), None));
        letOn.SetResult();

        Assert.Equal(1, await sweep);
        Assert.Equal([1], ReadAll(OpenStore(), entry.Path));
        Assert.Null(await Objects.LengthAsync(lost.Path, None));
        Assert.Equal([0, 32], (await OpenStore().ListAsync(Key, None)).Select(m => m.RowStart));
        await AssertWholeAsync();
    }

    [Fact]
    public async Task Publish_AfterTheFenceAndBeforeTheDeletion_Loses()
    {
        var attempt = Attempt();
        var entry = await PutAsync(OpenStore(), attempt, [1]);
        var (sweeper, reached, letOn) = Held("delete", name => name == entry.Path);
        var sweep = sweeper.SweepAsync(s_nobody, None);
        await reached;
        Assert.NotNull(await Objects.LengthAsync(entry.Path, None));
        Assert.False(await OpenStore().PublishAsync(Manifest(attempt, new(0, 32), entry), None));
        letOn.SetResult();
        Assert.Equal(1, await sweep);
        await AssertWholeAsync();
    }

    [Fact]
    public async Task DeleteAttempt_OutcomeOfItsPublicationIsNotKnown_TheLateRequestFails()
    {
        var (store, attempt) = (OpenStore(), Attempt());
        var entry = await PutAsync(store, attempt, [1]);
        // The publication is given up while it waits for the place: nobody knows whether it will arrive.
        var before = await store.Cells.ReadAsync(Key, 0, None);
        Assert.Equal(1, await OpenStore().DeleteAttemptAsync(attempt, None));
        Assert.False(await store.Cells.TryWriteAsync(before, before.Content.With([Manifest(attempt, new(0, 32), entry)]), None));
        Assert.Empty(await store.ListAsync(Key, None));
        Assert.Equal(0, await OpenStore().DeleteAttemptAsync(attempt, None));
        Assert.True(await PublishAsync(store, Attempt(epoch: 2), new(0, 32)));
    }

    [Fact]
    public Task AnyInterleaving_OfPublishersSweepsAndVoids_NeverLosesWhatIsPublished() =>
        Gen.Int[0, int.MaxValue].SampleAsync(StoryAsync, iter: stories, threads: 1);

    async Task StoryAsync(int seed)
    {
        await OpenStore().RemoveStageAsync(Key, None);
        var turns = new Turns(seed);
        var attempts = Enumerable.Range(1, 3).Select(epoch => Attempt(epoch: epoch)).ToArray();
        var said = new bool[attempts.Length];
        var voided = new HashSet<Guid>();
        TensorStore Stepping(Func<Task> step) => new(new ObservedObjects(Objects) { Before = (_, _) => step() });

        Func<Func<Task>, Task> Publisher(int who) => async step =>
        {
            var store = Stepping(step);
            try
            {
                var manifest = Manifest(attempts[who], new(0, 32), await PutAsync(store, attempts[who], [(byte)who]));
                said[who] = await store.PublishAsync(manifest, None);
            }
            catch (StoreException)
            {
                // Its file or object was deleted before it looked. The third one is in use.
                Assert.NotEqual(2, who);
            }
        };
        await turns.RunAsync(
            Publisher(0), Publisher(1), Publisher(2),
            async step => await Stepping(step).SweepAsync(Living(attempts[2].Id), None),
            async step => await Stepping(step).DeleteAttemptAsync(attempts[1], None),
            async step =>
            {
                var store = Stepping(step);
                foreach (var manifest in await store.ListAsync(Key, None))
                {
                    await store.VoidAsync(manifest, "found damaged", None);
                    if (store.VoidedHere > 0)
                        voided.Add(manifest.Attempt);
                }
            });

        await AssertWholeAsync();
        var published = (await OpenStore().ListAsync(Key, None)).Select(m => m.Attempt).ToHashSet();
        for (var who = 0; who < attempts.Length; who++)
        {
            // What was said holds, but for what was found damaged since.
            if (said[who])
                Assert.True(published.Contains(attempts[who].Id) || voided.Contains(attempts[who].Id));
            else
                Assert.DoesNotContain(attempts[who].Id, published);
        }
        // Whatever happened, the rows can be had.
        if (published.Count == 0)
            Assert.True(await PublishAsync(OpenStore(), Attempt(epoch: 9), new(0, 32)));
    }

    [Fact]
    public async Task Sweep_AfterCrashes_OnlyWhatIsNamedOrInUseIsLeft()
    {
        var store = OpenStore();
        var (published, living) = (Attempt(), Attempt(64, 3));
        var kept = await PutAsync(store, published, [1]);
        var unnamed = await PutAsync(store, published, [2], "unnamed");
        Assert.True(await store.PublishAsync(Manifest(published, new(0, 32), kept), None));
        var lost = await PutAsync(store, Attempt(32, 2), [3]);
        var first = await PutAsync(store, living, [4]);
        string Checkpoint(PartAttempt attempt) => $"stages/{Key}/checkpoints/{attempt.Name}";
        foreach (var attempt in new[] { published, living, Attempt(96) })
            await Objects.ReplaceAsync(Checkpoint(attempt), new byte[] { 1 }, None);
        await Objects.ReplaceAsync($"stages/{Key}/checkpoints/strange", new byte[] { 1 }, None);
        var asked = new List<string>();

        var deleted = await OpenStore().SweepAsync(
            key =>
            {
                asked.Add(key);
                return Living(living.Id)(key);
            }, None);

        Assert.Equal([Key], asked);
        // Two objects and two checkpoints.
        Assert.Equal(4, deleted);
        Assert.Equal([[1], [4]], new[] { kept, first }.Select(e => ReadAll(store, e.Path)));
        Assert.Null(await Objects.LengthAsync(unnamed.Path, None));
        Assert.Null(await Objects.LengthAsync(lost.Path, None));
        Assert.Equal([Checkpoint(living), $"stages/{Key}/checkpoints/strange"], await NamesAsync($"stages/{Key}/checkpoints/"));
        Assert.Equal(0, await OpenStore().SweepAsync(Living(living.Id), None));
        Assert.True(await store.PublishAsync(Manifest(living, new(64, 96), first), None));
        Assert.Equal(1, await OpenStore().SweepAsync(s_nobody, None));
        await AssertWholeAsync();
    }

    [Fact]
    public async Task Sweep_OfAStageThatIsWhole_AsksForListsAndNotForEachAttempt()
    {
        for (var start = 0; start < 40 * 32; start += 32)
            Assert.True(await PublishAsync(OpenStore(), Attempt(start), new(start, start + 32)));
        var objects = new ObservedObjects(Objects);
        Assert.Equal(0, await new TensorStore(objects).SweepAsync(s_nobody, None));
        // The keys, the objects, the checkpoints, the cells, and one version of each.
        Assert.Equal(4 + 40, objects.Calls.Count);
        Assert.Equal(40, objects.Calls.Count(c => c.Call == "read"));
    }

    [Fact]
    public async Task Sweep_StageOfNobody_OthersAreAskedForOneByOne()
    {
        string[] keys = ["aa", "bb"];
        var living = new Dictionary<string, PartAttempt>();
        foreach (var key in keys)
        {
            living[key] = Attempt(key: key);
            await PutAsync(OpenStore(), living[key], [1]);
            await PutAsync(OpenStore(), Attempt(key: key), [2]);
        }
        // An attempt is known within its stage only.
        Assert.Equal(2, await OpenStore().SweepAsync(key => Living(living[key].Id)(key), None));
        Assert.Equal(keys.Select(k => $"stages/{k}/objects/{living[k].Name}/samples.safetensors"), (await NamesAsync("stages/")).Where(
            n => n.EndsWith(".safetensors", StringComparison.Ordinal)));
    }
}

[Trait(Needs.Trait, Needs.Process)]
public sealed class BlobSweepTests(BlobServer server) : SweepSuite(new BlobStorePlace(server), stories: 15);

using Azure.Core;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using Taba.Silo.Checkpoints;
using Taba.Silo.Storage;
using Taba.Silo.Tests.Storage;
using Taba.Testing;

namespace Taba.Silo.Tests.Checkpoints;

/// <summary>Checkpoints in a real container of Azurite.</summary>
[Trait(Needs.Trait, Needs.Process)]
public sealed class SharedBlobCheckpointTests(BlobServer server) : SharedCheckpointSuite, IAsyncLifetime
{
    BlobContainerClient _container = null!;

    public async ValueTask InitializeAsync() => _container = await server.ContainerAsync();

    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }

    private protected override SegmentCheckpointStore OpenAs(string worker, CheckpointOptions? options = null) =>
        SegmentCheckpointStore.Shared(_container, worker, options);

    private protected override ITensorStore Tensors() => new BlobTensorStore(_container, _folder["tensors"]);

    private protected override int SegmentsOf(string worker) => NamesOf(worker).Count;

    List<string> NamesOf(string worker) => [.. _container
        .GetBlobs(
            new GetBlobsOptions { Prefix = $"checkpoints/{Uri.EscapeDataString(worker).Replace(".", "%2E", StringComparison.Ordinal)}/" })
            .Select(b => b.Name)];

    [Fact]
    public async Task Shared_WorkersNameWithSlashesAndDots_StaysInside()
    {
        await LeaveAsync(C, Record(0, 1));
        Assert.Matches(@"\Acheckpoints/silo%2F%2E%2E%2Fc%3A1%403/[0-9]+-[0-9]{4}\.seg\z", Assert.Single(NamesOf(C)));
        Assert.Throws<ArgumentException>(() => OpenAs(".."));
    }

    [Fact]
    public async Task Adopt_TornTail_GivesWhatIsBeforeIt()
    {
        await LeaveAsync(A, Record(0, 2, [1]), Record(0, 3, [2]));
        var torn = _container.GetAppendBlobClient(Assert.Single(NamesOf(A)));
        var bytes = (await torn.DownloadContentAsync()).Value.Content.ToArray();
        await torn.CreateAsync();
        await torn.AppendBlockAsync(new MemoryStream(bytes[..^1]));
        await using var store = OpenAs(B);
        await store.AdoptAsync(Key, new(0, 1), [A], None);
        AssertIs(store.Find(Key, 0), 0, 2, [1]);
    }

    [Fact]
    public async Task Put_LargerThanABlock_IsReadBackWhole()
    {
        const int bytes = 5 << 20;
        await LeaveAsync(A, Record(0, 2, [1], bytes: bytes), Record(1, 1));
        await using var store = OpenAs(B, new() { QueueBytes = 64 << 20 });
        await store.AdoptAsync(Key, new(0, 2), [A], None);
        AssertIs(store.Find(Key, 0), 0, 2, [1], bytes: bytes);
        await store.FlushAsync(None);
        AssertIs(store.Find(Key, 0), 0, 2, [1], bytes: bytes);
        AssertIs(store.Find(Key, 1), 1, 1, []);
    }

    [Fact]
    public async Task Put_AnswersLost_NothingIsWrittenTwice()
    {
        var faults = new FaultyRequests(await server.ConnectionStringAsync(), _container.Name) { LosesAnswers = true };
        await using (var store = SegmentCheckpointStore.Shared(faults.Container, A))
        {
            store.Stalled += exception => Assert.Fail(exception.Message);
            await store.PutAsync(Record(0, 2, [1]), None);
            await store.FlushAsync(None);
            await store.PutAsync(Record(0, 3, [2]), None);
            await store.FlushAsync(None);
        }
        Assert.Equal(3, faults.Lost);
        var once = _container.GetBlobClient(Assert.Single(NamesOf(A))).GetProperties().Value.ContentLength;
        await LeaveAsync(B, Record(0, 2, [1]), Record(0, 3, [2]));
        Assert.Equal(_container.GetBlobClient(Assert.Single(NamesOf(B))).GetProperties().Value.ContentLength, once);
    }

    [Fact]
    public async Task Put_AccountIsGoneForAWhile_WaitsAndGoesOn()
    {
        var faults = new FaultyRequests(await server.ConnectionStringAsync(), _container.Name, retries: 0);
        await using (var store = SegmentCheckpointStore.Shared(faults.Container, A, new() { RetryAfter = TimeSpan.FromMilliseconds(10) }))
        {
            var stalled = new TaskCompletionSource<Exception>(TaskCreationOptions.RunContinuationsAsynchronously);
            store.Stalled += exception => stalled.TrySetResult(exception);
            store.Failed += exception => Assert.Fail(exception.Message);
            await store.PutAsync(Record(0, 2, [1]), None);
            await store.FlushAsync(None);
            faults.Refuses = method => method == RequestMethod.Put;
            await store.PutAsync(Record(0, 3, [2]), None);
            var flushed = store.FlushAsync(None);
            Assert.IsType<StoreException>(await stalled.Task);
            Assert.False(flushed.IsCompleted);
            faults.Refuses = _ => false;
            await flushed;
        }
        await using var other = OpenAs(B);
        await other.AdoptAsync(Key, new(0, 1), [A], None);
        AssertIs(other.Find(Key, 0), 0, 3, [1, 2]);
    }

    [Fact]
    public async Task Put_SegmentsCannotBeDeleted_TheWorkGoesOnAndTheyGoLater()
    {
        var faults = new FaultyRequests(
            await server.ConnectionStringAsync(), _container.Name, retries: 0)
        { Refuses = method => method == RequestMethod.Delete };
        await using (var store = SegmentCheckpointStore.Shared(faults.Container, A, new() { SegmentBytes = 1 }))
        {
            store.Stalled += exception => Assert.Fail(exception.Message);
            for (var step = 1; step <= 3; step++)
            {
                await store.PutAsync(Record(0, step), None);
                await store.FlushAsync(None);
            }
            Assert.Equal(3, SegmentsOf(A));
            Assert.NotEqual(0, faults.Refused);
            faults.Refuses = _ => false;
            await store.PutAsync(Record(0, 4), None);
            await store.FlushAsync(None);
            AssertIs(store.Find(Key, 0), 0, 4, []);
        }
        Assert.Equal(1, SegmentsOf(A));
    }
}

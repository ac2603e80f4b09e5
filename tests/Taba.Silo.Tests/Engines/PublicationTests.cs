using Taba.Silo.Parts;
using Taba.Silo.Rows;
using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Taba.Grains.Stages;
using Taba.Silo.Engines;
using Taba.Silo.Tests.Workers;
using Taba.Storage.Checkpoints;
using Taba.Storage.Manifests;
using Taba.Storage.Objects;
using Taba.Testing.Stores;

namespace Taba.Silo.Tests.Engines;

/// <summary>Two silos publish the same rows: the bytes of the first are the rows, for both of them.</summary>
public sealed class PublicationTests : IAsyncDisposable
{
    static readonly RowRange s_rows = new(0, 4);

    readonly TestFolder _folder = new();
    readonly TensorStore _store;
    readonly PartCheckpoints _checkpoints;
    readonly ConcurrentQueue<string> _warnings = new();

    public PublicationTests()
    {
        var objects = new FolderObjects(_folder["store"]);
        _store = new(objects);
        _checkpoints = new(objects, goesOnAfterFaults: false, new CheckpointOptions(), TimeProvider.System);
    }

    public async ValueTask DisposeAsync()
    {
        await _checkpoints.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task PublishAsync_AnotherAttemptWasQuicker_ItsOwnBytesAreNotHandedOn()
    {
        var (winner, loser) = (Silo(StoreExamples.Spec()), Silo(StoreExamples.Spec()));

        Assert.Equal(RowSet.Of(s_rows), await winner.PublishAsync(fill: 1));
        Assert.Equal(RowSet.Of(s_rows), await loser.PublishAsync(fill: 2));

        Assert.Equal(Enumerable.Repeat((byte)1, 48), winner.HandedOn(row: 2));
        Assert.Null(loser.HandedOn(row: 2));
        Assert.Null(loser.HandedOn(row: 0));
    }

    [Theory]
    [InlineData(true, 2, true)]
    [InlineData(true, 1, false)]
    [InlineData(false, 2, false)]
    public async Task PublishAsync_AnotherAttemptsBytesDiffer_IsToldWhereTheyMustNot(bool deterministic, byte fill, bool told)
    {
        var spec = StoreExamples.Spec() with { Determinism = deterministic ? new(16, "cpu") : null };
        await Silo(spec, "w1").PublishAsync(fill: 1);
        await Silo(spec, "w2").PublishAsync(fill);
        await Silo(spec, "w2").PublishAsync(fill);

        Assert.Equal(told ? 2 : 0, _warnings.Count);
        Assert.All(_warnings, w => Assert.Contains(Environment.MachineName, w, StringComparison.Ordinal));
        // What stays says who, once for each pair, and a store that is opened anew knows it.
        var kept = await new TensorStore(new FolderObjects(_folder["store"])).DisagreementsAsync(null, CancellationToken.None)
            .ToListAsync(TestContext.Current.CancellationToken);
        Assert.Equal(told ? 1 : 0, kept.Count);
        foreach (var (key, what) in kept)
        {
            Assert.Equal((StoreExamples.Key, s_rows, "w1", "w2"), (key, what.Rows, what.Published.Silo, what.Other.Silo));
            Assert.Equal(["samples"], what.Names.AsEnumerable());
            Assert.Contains(
                $"silo w2 on {Environment.MachineName} (cpu, Taba {ProgramVersion.Own.Build}", what.Text(key), StringComparison.Ordinal);
        }
        var published = Assert.Single(await _store.ListAsync(StoreExamples.Key, CancellationToken.None));
        Assert.Equal(("w1", ProgramVersion.Own.Numerics), (published.Silo, published.Numerics));
        // Rows that are made void are computed again: nothing is doubtful any more.
        await _store.VoidAsync(published, "mended", CancellationToken.None);
        Assert.Empty(await _store.DisagreementsAsync(StoreExamples.Key, CancellationToken.None)
            .ToListAsync(TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 1)]
    public async Task PublishAsync_OfAPartThatOnlyVerifies_WritesNothingButWhatDiffers(byte fill, int differing)
    {
        var spec = StoreExamples.Spec() with { Determinism = new(16, "cpu") };
        // Of rows that nobody published it says nothing, and it does not publish them.
        Assert.True((await Silo(spec, "w2", verify: true).PublishAsync(fill)).IsEmpty);
        await Silo(spec, "w1").PublishAsync(fill: 1);
        var before = await EverythingAsync();

        var verifying = Silo(spec, "w2", verify: true);
        Assert.Equal(RowSet.Of(s_rows), await verifying.PublishAsync(fill));

        Assert.Null(verifying.HandedOn(row: 0));
        var after = await EverythingAsync();
        Assert.Equal(differing, after.Except(before).Count());
        Assert.All(after.Except(before), name => Assert.Contains("/cells/", name, StringComparison.Ordinal));
        Assert.Equal(differing, await _store.DisagreementsAsync(null, CancellationToken.None).CountAsync(
            d => (d.What.Published.Silo, d.What.Other.Silo) == ("w1", "w2"), TestContext.Current.CancellationToken));

        async Task<List<string>> EverythingAsync() => await _store.Objects.ListAsync("stages/", CancellationToken.None)
            .Select(o => o.Name).ToListAsync(TestContext.Current.CancellationToken);
    }

    OneSilo Silo(StageSpec spec, string name = "w1", bool verify = false) =>
        new(_store, _checkpoints, spec, name, verify, new Told(_warnings));

    /// <summary>Keeps what is logged.</summary>
    sealed class Told(ConcurrentQueue<string> messages) : ILogger<PartPublisher>
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            messages.Enqueue(formatter(state, exception));
    }

    /// <summary>As much of a silo as a publication needs.</summary>
    sealed class OneSilo
    {
        static int s_epoch;

        readonly ActiveParts _parts = new();
        readonly RowBuffers _buffers = new();
        readonly RecentResults _recent;
        readonly PartWorkspace _workspace;
        readonly ActivePart _part;

        public OneSilo(TensorStore store, PartCheckpoints checkpoints, StageSpec spec, string name, bool verify,
            ILogger<PartPublisher> logger)
        {
            _recent = new(_buffers);
            _part = ActivePart.WithoutSteps(
                new(
                    StoreExamples.Attempt(epoch: Interlocked.Increment(ref s_epoch)), spec, s_rows, CaptureSelection.None,
                    Supplement: false)
                { Verify = verify },
                _buffers);
            _parts.Add(_part);
            _part.Device = "cpu";
            var publisher = new PartPublisher(
                store, StandIn.For<ILocalSiloDetails>(("get_Name", (_, _) => name)), TimeProvider.System, logger);
            _workspace = new(
                _parts, devices: null!, preparation: null!, measurer: null!, publisher, store, checkpoints, _recent, lost: null!, _buffers,
                models: null!, features: null!, pauses: null!, reports: null!, troubles: null!);
        }

        public async Task<RowSet> PublishAsync(byte fill)
        {
            _part.Results.AsSpan().Fill(fill);
            return (await _workspace.PublishAsync(_part.Lease.Attempt, [], CancellationToken.None)).All;
        }

        public byte[]? HandedOn(int row)
        {
            var bytes = new byte[_part.ResultBytes];
            return _recent.TryRead(StoreExamples.Key, new(row, row + 1), bytes) ? bytes : null;
        }
    }
}

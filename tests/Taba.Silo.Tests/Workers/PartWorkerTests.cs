using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Net;
using System.Threading.Channels;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Orleans;
using Orleans.Runtime;
using Taba.Grains.Dispatch;
using Taba.Grains.Faults;
using Taba.Grains.Parts;
using Taba.Grains.Ports;
using Taba.Grains.Silos;
using Taba.Grains.Stages;
using Taba.Silo.Engines;
using Taba.Silo.Faults;
using Taba.Silo.Devices;
using Taba.Silo.Models;
using Taba.Testing.Stores;
using Taba.Silo.Workers;

namespace Taba.Silo.Tests.Workers;

/// <summary>A worker with a stage and a part's grain that tests stand in for, in a time that they move.</summary>
public sealed class PartWorkerTests : IAsyncDisposable
{
    static readonly StageSpec s_spec = StoreExamples.Spec();
    static readonly SiloAddress s_address = SiloAddress.New(IPAddress.Loopback, 11111, 7);

    /// <summary>The worker renews in one loop and looks for work in another.</summary>
    const int Loops = 2;

    /// <summary>Far more time than any test lets pass.</summary>
    const int MostPasses = 10_000;

    readonly AwaitedTime _time = new();
    readonly ModelPauses _pauses;
    readonly PartWorker _worker;

    /// <summary>What the dispatcher answers when it is asked for parts, in turn; nothing afterwards.</summary>
    readonly ConcurrentQueue<PartLease> _offers = new();
    readonly Channel<WorkAsk> _requests = Channel.CreateUnbounded<WorkAsk>();
    readonly Channel<ImmutableArray<PartAttempt>> _renewals = Channel.CreateUnbounded<ImmutableArray<PartAttempt>>();
    readonly Channel<(PartAttempt Attempt, Fault? Fault)> _givenBack = Channel.CreateUnbounded<(PartAttempt, Fault?)>();
    readonly ConcurrentQueue<PartAttempt> _asked = new();

    /// <summary>Readings of the table of members, and what they wait for.</summary>
    readonly Channel<bool> _reads = Channel.CreateUnbounded<bool>();
    Task _readable = Task.CompletedTask;

    /// <summary>The attempt that the part's grain runs; it refuses any other.</summary>
    PartAttempt? _runs;
    PartStatus _status = new(null, 0, 0);

    /// <summary>What it answers with instead, and when; null when it answers at once.</summary>
    Task<PartStatus>? _answer;
    readonly Channel<PartAttempt> _stopped = Channel.CreateUnbounded<PartAttempt>();

    public PartWorkerTests()
    {
        _pauses = new(_time);
        var dispatcher = StandIn.For<IDispatcherGrain>(
            (nameof(IDispatcherGrain.AskAsync), (_, args) => Task.FromResult(Lease((WorkAsk)args[0]!))));
        var stage = StandIn.For<IStageGrain>(
            (nameof(IStageGrain.RenewAsync), (_, args) => Task.FromResult(Renew((ImmutableArray<PartProgress>)args[1]!))),
            (nameof(IStageGrain.GiveBackAsync), (_, args) => GiveBackAsync((PartAttempt)args[0]!, (Fault?)args[1])));
        var part = StandIn.For<IPartGrain>(
            (nameof(IPartGrain.StartAsync), (_, args) => Task.FromResult(Start((PartLease)args[0]!))),
            (nameof(IPartGrain.StopAsync), (_, args) => StopAsync((PartAttempt)args[0]!)),
            (nameof(IPartGrain.GetStatusAsync), (_, _) => new ValueTask<PartStatus>(_answer ?? Task.FromResult(_status))));
        var grains = StandIn.For<IGrainFactory>((nameof(IGrainFactory.GetGrain), (method, _) =>
            new object[] { dispatcher, stage, part }.Single(g => method.GetGenericArguments()[0].IsInstanceOfType(g))));
        var silo = StandIn.For<ILocalSiloDetails>(($"get_{nameof(ILocalSiloDetails.SiloAddress)}", (_, _) => s_address));
        var membership = StandIn.For<IClusterMembershipService>(
            ($"get_{nameof(IClusterMembershipService.MembershipUpdates)}", (_, _) => Member()),
            (nameof(IClusterMembershipService.Refresh), (_, _) =>
            {
                _reads.Writer.TryWrite(true);
                return new ValueTask(_readable);
            }
        ));
        var held = new HeldParts();
        var signal = new WorkSignal();
        var own = new OwnMembership(membership, silo, _time);
        var puller = new PartPuller(
            grains, silo, new SiloFacts("host", SiloRole.Worker, SiloDevices.Resolve("cpu", 1, gpus: 0, cores: 8), 16),
            new WorkerRoom(new Device(), new(SiloRole.Worker), held), held, _pauses, Options.Create(new WorkerSettings()));
        var pulling = new PullLoop(
            puller, new PartStarter(grains, held, _time), held, own, signal,
            new FaultMonitor(goesOn: true, NullLogger<FaultMonitor>.Instance), _time, NullLogger<PullLoop>.Instance);
        var leases = new LeaseKeeper(
            grains, silo, held, StandIn.For<IPartWorkspace>((nameof(IPartWorkspace.Evaluations), (_, _) => 0L)),
            Options.Create(new LeaseOptions()), _time, NullLogger<LeaseKeeper>.Instance);
        _worker = new(own, pulling, leases);
    }

    public async ValueTask DisposeAsync()
    {
        await _worker.StopAsync(CancellationToken.None);
        _worker.Dispose();
    }

    [Fact]
    public async Task Lease_SameRowsInTwoAttemptsOfAnEpoch_OneRunsAndTheOtherIsGivenBack()
    {
        var (first, twin) = (Offer(), Offer());
        await _worker.StartAsync(CancellationToken.None);

        Assert.Equal((twin, null), await NextAsync(_givenBack));

        Assert.Equal(first, _runs);
        Assert.Single(_asked, first);
        // It may only be an older attempt that is about to stop: the twin is not given back at the first no.
        Assert.Equal(10, _asked.Count(a => a == twin));
        Drain(_renewals);
        for (var i = 0; i < 3; i++)
            Assert.Equal([first], (await NextAsync(_renewals)).AsEnumerable());
        Assert.False(_givenBack.Reader.TryRead(out _));
    }

    [Fact]
    public async Task Lease_TheSameLeaseTwice_IsHeldOnce()
    {
        var attempt = Offer();
        _offers.Enqueue(_offers.Single());
        await _worker.StartAsync(CancellationToken.None);
        while (_asked.Count < 2)
            await PassAsync();

        Drain(_renewals);
        Assert.Equal([attempt], (await NextAsync(_renewals)).AsEnumerable());
        Assert.Equal(attempt, _runs);
        Assert.False(_givenBack.Reader.TryRead(out _));
    }

    [Fact]
    public async Task Renew_PartIsBeingPublished_IsGivenBackOnlyWhenItsGrainIsGone()
    {
        var attempt = Offer();
        await _worker.StartAsync(CancellationToken.None);
        await NextAsync(_renewals);
        _status = new(attempt, SamplesRunning: 0, SamplesEnded: 32);
        var from = _time.GetUtcNow();
        while (_time.GetUtcNow() - from < TimeSpan.FromSeconds(15))
            Assert.Equal([attempt], (await NextAsync(_renewals)).AsEnumerable());
        Assert.False(_givenBack.Reader.TryRead(out _));

        _status = new(null, 0, 0);
        Assert.Equal((attempt, null), await NextAsync(_givenBack));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Renew_PartsGrainDoesNotAnswer_ItsLeaseIsNotRenewedAndItsWorkStops(bool hangs)
    {
        var attempt = Offer();
        await _worker.StartAsync(CancellationToken.None);
        await NextAsync(_renewals);
        _answer = hangs
            ? new TaskCompletionSource<PartStatus>().Task
            : Task.FromException<PartStatus>(new InvalidOperationException("the grain is broken"));
        await _time.RestAsync(Loops);
        Drain(_renewals);
        var from = _time.GetUtcNow();

        Assert.Equal(attempt, await NextAsync(_stopped));

        Assert.False(_renewals.Reader.TryRead(out _));
        // Before the stage could give its rows to another.
        Assert.InRange(_time.GetUtcNow() - from, TimeSpan.FromSeconds(18), TimeSpan.FromSeconds(22));
        Assert.False(_givenBack.Reader.TryRead(out _));
    }

    [Fact]
    public async Task Renew_PartsGrainIsSlowOnce_IsRenewedAgainWhenItAnswers()
    {
        var attempt = Offer();
        await _worker.StartAsync(CancellationToken.None);
        await NextAsync(_renewals);
        var answer = new TaskCompletionSource<PartStatus>();
        _answer = answer.Task;
        for (var i = 0; i < 200; i++)
            await PassAsync();
        (_answer, var late) = (null, answer);
        late.SetResult(_status);

        Drain(_renewals);
        Assert.Equal([attempt], (await NextAsync(_renewals)).AsEnumerable());
        Assert.False(_stopped.Reader.TryRead(out _));
    }

    [Fact]
    public async Task Renew_PartHasNotBegun_WaitsUntilItsGrainHasTakenIt()
    {
        var (older, attempt) = (StoreExamples.Attempt(), Offer());
        // The grain still runs an older attempt, for half a second.
        (_runs, _status) = (older, new(older, SamplesRunning: 32, SamplesEnded: 0));
        await _worker.StartAsync(CancellationToken.None);
        while (_asked.Count < 5)
            await PassAsync();
        Assert.False(_renewals.Reader.TryRead(out _));

        _runs = null;
        Assert.Equal([attempt], (await NextAsync(_renewals)).AsEnumerable());
    }

    [Fact]
    public async Task Ask_ModelThatThisSiloCannotServe_SaysWhyUntilThePauseIsOver()
    {
        _pauses.Refused(s_spec.Model.Digest, "model.json is another one");
        await _worker.StartAsync(CancellationToken.None);
        var from = _time.GetUtcNow();
        var request = await NextAsync(_requests);
        while (!request.Refused.IsEmpty)
        {
            Assert.Equal(new(s_spec.Model.Digest, "model.json is another one"), Assert.Single(request.Refused));
            request = await NextAsync(_requests);
        }
        Assert.True(_time.GetUtcNow() - from >= ModelPauses.Shortest);
    }

    [Fact]
    public async Task Lease_ProcessWasStoppedForAWhile_ReadsTheMembersFirst()
    {
        await _worker.StartAsync(CancellationToken.None);
        await NextAsync(_requests);
        var members = new TaskCompletionSource();
        _readable = members.Task;
        Drain(_reads);
        await _time.RestAsync(Loops);
        _time.Advance(TimeSpan.FromSeconds(30));
        Assert.True(await _reads.Reader.ReadAsync());

        // One loop waits for the members.
        Drain(_requests);
        for (var i = 0; i < 50; i++)
            await PassAsync(Loops - 1);
        Assert.False(_requests.Reader.TryRead(out _));

        members.SetResult();
        await NextAsync(_requests);
    }

    /// <summary>An attempt at the same rows, in the same epoch.</summary>
    PartAttempt Offer()
    {
        var attempt = StoreExamples.Attempt();
        _offers.Enqueue(new(attempt, s_spec, new(0, 32), CaptureSelection.None, Supplement: false));
        return attempt;
    }

    ImmutableArray<PartLease> Lease(WorkAsk ask)
    {
        // The last one is taken back when the worker ends.
        if (ask is { Rows: > 0 })
            _requests.Writer.TryWrite(ask);
        return ask is { Rows: > 0, Refused.IsEmpty: true } && _offers.TryDequeue(out var lease) ? [lease] : [];
    }

    ImmutableArray<bool> Renew(ImmutableArray<PartProgress> held)
    {
        _renewals.Writer.TryWrite([.. held.Select(p => p.Attempt)]);
        return [.. held.Select(_ => true)];
    }

    Task GiveBackAsync(PartAttempt attempt, Fault? fault)
    {
        _givenBack.Writer.TryWrite((attempt, fault));
        return Task.CompletedTask;
    }

    Task StopAsync(PartAttempt attempt)
    {
        _stopped.Writer.TryWrite(attempt);
        return Task.CompletedTask;
    }

    bool Start(PartLease lease)
    {
        _asked.Enqueue(lease.Attempt);
        if (_runs is null)
            (_runs, _status) = (lease.Attempt, new(lease.Attempt, SamplesRunning: 32, SamplesEnded: 0));
        return _runs == lease.Attempt;
    }

    /// <summary>The next event; time passes until it comes.</summary>
    async Task<T> NextAsync<T>(Channel<T> events)
    {
        await _time.RestAsync(Loops);
        for (var pass = 0; pass < MostPasses; pass++)
        {
            if (events.Reader.TryRead(out var next))
                return next;
            await PassAsync();
        }
        throw new TimeoutException($"No {typeof(T).Name} came.");
    }

    /// <summary>A little time passes for the worker, and what waited for it runs until it waits again.</summary>
    async Task PassAsync(int loops = Loops)
    {
        await _time.RestAsync(loops);
        _time.Advance(TimeSpan.FromMilliseconds(50));
        await _time.RestAsync(loops);
    }

    static void Drain<T>(Channel<T> events)
    {
        while (events.Reader.TryRead(out _))
        {
            // Of before.
        }
    }

    static async IAsyncEnumerable<ClusterMembershipSnapshot> Member()
    {
        await Task.Yield();
        yield return new(
            ImmutableDictionary<SiloAddress, ClusterMember>.Empty.Add(s_address, new(s_address, SiloStatus.Active, "w1")), new(1));
    }

    sealed class Device : IEngineCapacity
    {
        public int Devices => 1;

        public int Slots => 128;

        public int BatchSize => 16;

        public int AutoencoderParts => 2;

        public bool CanWork => true;

        public ImmutableArray<ResidentEngine> Loaded => [];
    }
}

using System.Collections.Immutable;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;
using Orleans.Runtime;
using Orleans.Runtime.Placement;
using Orleans.Storage;
using Orleans.TestingHost;
using Taba.Grains.Errors;
using Taba.Grains.Placement;
using Taba.Grains.Ports;
using Taba.Grains.Silos;
using Taba.Grains.Stages;
using Taba.Grains.Sweeps;
using Taba.Silo.Faults;
using Taba.Storage.Objects;

namespace Taba.Silo.Tests.Faults;

/// <summary>Errors of real grains as a client outside of the silo gets them: over the wire, by Orleans' serializer.</summary>
public sealed class CallErrorTests : IAsyncLifetime
{
    readonly FailingState _state = new();
    readonly FailingCatalogue _catalogue = new();
    InProcessTestCluster? _cluster;

    ISweepIndexGrain Index => _cluster!.Client.GetGrain<ISweepIndexGrain>(0);

    public async ValueTask InitializeAsync()
    {
        var builder = new InProcessTestClusterBuilder(1);
        builder.ConfigureSilo((_, silo) =>
        {
            silo.AddIncomingGrainCallFilter<CallErrorFilter>();
            silo.Services.AddKeyedSingleton<IGrainStorage>(ReadableGrainState.ProviderName, _state);
            silo.AddReadableGrainState();
            silo.Services.AddSingleton(TimeProvider.System);
            silo.Services.AddSingleton<IPartCatalogue>(_catalogue);
            silo.Services.AddSingleton<IWorkerLiveness>(new Nobody());
            silo.Services.AddSingleton<ISiloDirectory>(new Nobody());
            silo.Services.AddSingleton<IWorkSignal>(new Nobody());
            silo.Services.AddPlacementDirector<CoordinatorPlacement, CoordinatorPlacementDirector>();
            silo.Services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.None));
        });
        builder.ConfigureClient(client => client.Configure<ClientMessagingOptions>(o => o.ResponseTimeout = TimeSpan.FromSeconds(20)));
        _cluster = builder.Build();
        await _cluster.DeployAsync();
    }

    public async ValueTask DisposeAsync() => await _cluster!.DisposeAsync();

    [Fact]
    public async Task Call_StoreFailsForAReasonThatHasNoCodec_ComesAsAStoreFaultInOneSentence()
    {
        _catalogue.Error = new StoreException("the cell 7 cannot be read.", new JsonException("'x' is no number"));

        var error = await Assert.ThrowsAsync<CallException>(
            () => _cluster!.Client.GetGrain<IStageGrain>("stage-0123456789abcdef").LookAgainAsync(new(0, 32)));

        Assert.Equal((CallFault.Store, "the cell 7 cannot be read: 'x' is no number"), (error.Kind, error.Message));
        Assert.Null(error.InnerException);
        Assert.True(PassingErrors.OfCluster(error));
        Assert.False(PassingErrors.OfSilos(error));
    }

    [Fact]
    public async Task Call_ErrorThatNobodyExpected_NamesItsTypeAndIsNotAskedAgain()
    {
        _catalogue.Error = new KeyNotFoundException("no such thing", new JsonException("deeper"));

        var error = await Assert.ThrowsAsync<CallException>(
            () => _cluster!.Client.GetGrain<IStageGrain>("stage-0123456789abcdef").LookAgainAsync(new(0, 32)));

        Assert.Equal((CallFault.Unexpected, "KeyNotFoundException: no such thing: deeper"), (error.Kind, error.Message));
        Assert.False(PassingErrors.OfCluster(error));
    }

    [Fact]
    public async Task Watch_OfNoSweep_SaysThatThereIsNone()
    {
        var error = await Assert.ThrowsAsync<CallException>(async () =>
        {
            await foreach (var _ in _cluster!.Client.GetGrain<ISweepGrain>("nobody").WatchAsync(0))
                Assert.Fail("there is nothing to see");
        });

        Assert.Equal((CallFault.Unknown, "There is no sweep nobody."), (error.Kind, error.Message));
    }

    [Fact]
    public async Task Watch_DatabaseAway_IsAStoreFault()
    {
        _state.OnRead = () => new OddException();

        var error = await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            await foreach (var _ in _cluster!.Client.GetGrain<ISweepGrain>("odd").WatchAsync(0))
                Assert.Fail("there is nothing to see");
        });

        Assert.Equal(CallFault.Store, CallException.In(error)?.Kind);
    }

    [Fact]
    public async Task Submit_PlanOfAnotherSweep_IsBadInput()
    {
        var error = await Assert.ThrowsAsync<CallException>(
            () => _cluster!.Client.GetGrain<ISweepGrain>("mine").SubmitAsync(new("other", "n", [], [])));

        Assert.Equal(CallFault.BadInput, error.Kind);
        Assert.False(PassingErrors.OfCluster(error));
    }

    [Fact]
    public async Task Activation_StateOfAnotherVersion_IsSaidAndIsNotAskedAgain()
    {
        _state.OnRead = () => new UnreadableStateException(new FormatException("beyond the end"));

        var error = await Assert.ThrowsAnyAsync<Exception>(async () => await Index.GetAllAsync());

        var call = CallException.In(error);
        Assert.Equal(CallFault.Unreadable, call?.Kind);
        Assert.Contains(
            "is damaged, or of another version of Taba: FormatException: beyond the end", call!.Message, StringComparison.Ordinal);
        Assert.False(PassingErrors.OfCluster(error));
    }

    [Fact]
    public async Task Activation_DatabaseAway_IsAStoreFaultAndPasses()
    {
        _state.OnRead = () => new OddException();
        var error = await Assert.ThrowsAnyAsync<Exception>(async () => await Index.GetAllAsync());
        Assert.Equal(
            (CallFault.Store, "the database of grain states fails: odd"),
            (CallException.In(error)?.Kind, CallException.In(error)?.Message));
        Assert.True(PassingErrors.OfCluster(error));

        _state.OnRead = null;
        Assert.Empty(await Index.GetAllAsync());
    }

    [Fact]
    public async Task Write_AnotherActivationWrote_PassesAndTheGrainReadsAnew()
    {
        await Index.GetAllAsync();
        var reads = _state.Reads;
        _state.OnWrite = () => new InconsistentStateException("it has changed", new OddException());
        var entry = new SweepEntry("s", "n", 0, Paused: false, DateTimeOffset.UnixEpoch, Ended: null, EndedAt: null);
        var error = await Assert.ThrowsAsync<CallException>(() => Index.AddAsync(entry));
        Assert.Equal(CallFault.Passing, error.Kind);
        Assert.True(PassingErrors.OfSilos(error));

        _state.OnWrite = null;
        await Index.AddAsync(entry);
        Assert.Equal(reads + 1, _state.Reads);
    }

    /// <summary>As a driver of a database has: no codec knows it.</summary>
    sealed class OddException() : Exception("odd");

    sealed class FailingState : IGrainStorage
    {
        public Func<Exception>? OnRead { get; set; }

        public Func<Exception>? OnWrite { get; set; }

        public int Reads { get; private set; }

        public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
        {
            if (OnRead is not null)
                throw OnRead();
            Reads++;
            grainState.State = Activator.CreateInstance<T>();
            return Task.CompletedTask;
        }

        public Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
            OnWrite is null ? Task.CompletedTask : throw OnWrite();

        public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) => Task.CompletedTask;
    }

    sealed class FailingCatalogue : IPartCatalogue
    {
        public Exception Error { get; set; } = new InvalidOperationException();

        public Task<ImmutableArray<KeptRows>> GetPublishedAsync(string stageKey, RowRange rows, CancellationToken cancellationToken) =>
            throw Error;

        public Task<bool> HasStageAsync(string stageKey, CancellationToken cancellationToken) => throw Error;

        public Task<ImmutableArray<int>> GetReachedAsync(PartAttempt attempt, RowRange rows, CancellationToken cancellationToken) =>
            throw Error;
    }

    sealed class Nobody : IWorkerLiveness, ISiloDirectory, IWorkSignal
    {
        public bool IsAlive(string worker) => false;

        public long Version => 0;

        public SiloInfo? Find(string worker) => null;

        public ValueTask<ImmutableArray<SiloInfo>> GetAsync() => new([]);

        public void PartEnded(PartAttempt attempt, RowSet published)
        {
        }

        public void Wake()
        {
        }
    }
}

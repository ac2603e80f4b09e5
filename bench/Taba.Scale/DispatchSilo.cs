using System.Collections.Concurrent;
using System.Collections.Immutable;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;
using Orleans.Serialization;
using Orleans.Storage;
using Orleans.TestingHost;
using Taba.Grains;
using Taba.Grains.Ports;
using Taba.Grains.Silos;
using Taba.Grains.Stages;
using Taba.Silo.Devices;
using Taba.Silo.Hosting;
using Taba.Silo.Workers;

namespace Taba.Scale;

/// <summary>
/// A silo in this process with the grains that coordinate. Their state is serialized as for a database, and kept in memory. The store has
/// nothing, every worker lives, and a client calls as a silo's worker would, over a connection.
/// </summary>
sealed class DispatchSilo : IAsyncDisposable
{
    static readonly TimeSpan s_answersWithin = TimeSpan.FromMinutes(2);

    static readonly TimeSpan s_long = TimeSpan.FromHours(1);

    readonly InProcessTestCluster _cluster;

    DispatchSilo(InProcessTestCluster cluster) => _cluster = cluster;

    public required CallCount Calls { get; init; }

    public required StateInMemory State { get; init; }

    public IGrainFactory Grains => _cluster.Client;

    public static async Task<DispatchSilo> StartAsync()
    {
        var (calls, state) = (new CallCount(), new StateInMemory());
        var devices = SiloDevices.Resolve("cpu");
        var builder = new InProcessTestClusterBuilder(1);
        builder.Options.ConfigureFileLogging = false;
        builder.ConfigureSilo((_, silo) =>
        {
            silo.Services.AddSingleton(TimeProvider.System);
            // Workers that are only names renew nothing.
            silo.Services.Configure<LeaseOptions>(o => (o.Duration, o.ProgressWithin) = (s_long, s_long));
            silo.Services.AddSingleton<IPartCatalogue, NothingPublished>();
            silo.Services.AddSingleton<IWorkerLiveness, Everybody>();
            silo.Services.AddSingleton<ISiloDirectory, Everybody>();
            silo.Services.AddKeyedSingleton<IGrainStorage>(
                GrainStorage.Name, (services, _) => state.Over(services.GetRequiredService<Serializer>()));
            silo.AddIncomingGrainCallFilter(calls);
            silo.UseInMemoryReminderService();
            silo.AddTabaPlacement(new("dispatch", SiloRole.Coordinator, devices, 1));
            silo.Services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Error));
        });
        builder.ConfigureClient(client => client.Configure<ClientMessagingOptions>(o => o.ResponseTimeout = s_answersWithin));
        var cluster = builder.Build();
        await cluster.DeployAsync();
        return new(cluster) { Calls = calls, State = state };
    }

    public async ValueTask DisposeAsync() => await _cluster.DisposeAsync();

    /// <summary>Grain state as bytes.</summary>
    public sealed class StateInMemory : IGrainStorage
    {
        readonly ConcurrentDictionary<string, byte[]> _rows = new();
        Serializer _serializer = null!;
        long _writes;
        long _bytes;

        public (long Writes, long Bytes) Written => (Volatile.Read(ref _writes), Volatile.Read(ref _bytes));

        public StateInMemory Over(Serializer serializer)
        {
            _serializer = serializer;
            return this;
        }

        /// <summary>Bytes of a grain's state.</summary>
        public int BytesOf(string grain) => _rows.Where(r => r.Key.Contains(grain, StringComparison.Ordinal)).Sum(r => r.Value.Length);

        public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
        {
            grainState.RecordExists = _rows.TryGetValue($"{stateName}/{grainId}", out var bytes);
            grainState.State = bytes is null ? Activator.CreateInstance<T>() : _serializer.Deserialize<T>(bytes)!;
            return Task.CompletedTask;
        }

        public async Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
        {
            var bytes = _rows[$"{stateName}/{grainId}"] = _serializer.SerializeToArray(grainState.State);
            Interlocked.Increment(ref _writes);
            Interlocked.Add(ref _bytes, bytes.Length);
            // As with a database the turn ends here.
            await Task.Yield();
            grainState.RecordExists = true;
        }

        public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
        {
            _rows.TryRemove($"{stateName}/{grainId}", out _);
            grainState.RecordExists = false;
            return Task.CompletedTask;
        }
    }

    sealed class NothingPublished : IPartCatalogue
    {
        public Task<ImmutableArray<KeptRows>> GetPublishedAsync(string stageKey, RowRange rows, CancellationToken cancellationToken) =>
            Task.FromResult<ImmutableArray<KeptRows>>([]);

        public Task<bool> HasStageAsync(string stageKey, CancellationToken cancellationToken) => Task.FromResult(true);

        public Task<ImmutableArray<int>> GetReachedAsync(PartAttempt attempt, RowRange rows, CancellationToken cancellationToken) =>
            Task.FromResult<ImmutableArray<int>>([.. Enumerable.Repeat(0, rows.Count)]);
    }

    /// <summary>Every worker lives. The list of silos is empty: nobody coordinates but the silo that is called.</summary>
    sealed class Everybody : IWorkerLiveness, ISiloDirectory
    {
        public long Version => 0;

        public bool IsAlive(string worker) => true;

        public ValueTask<ImmutableArray<SiloInfo>> GetAsync() => new([]);
    }
}

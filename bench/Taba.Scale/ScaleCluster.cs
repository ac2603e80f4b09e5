using System.Diagnostics;
using System.Globalization;
using Npgsql;
using Taba.Silo.Clusters;
using Taba.Testing;
using Taba.Testing.Clusters;
using Taba.Testing.Commands;
using Taba.Testing.Servers;

namespace Taba.Scale;

/// <summary>PostgreSQL, a folder store, and silos with simulated devices, each in a process of its own.</summary>
sealed class ScaleCluster : IAsyncDisposable
{
    public const string Name = "scale";

    const string BadHost = "bad-host";

    static readonly TimeSpan s_startLimit = TimeSpan.FromMinutes(3);

    readonly PostgresServer _postgres;
    readonly TempFolder _folder;
    readonly List<ProgramProcess> _silos = [];

    ScaleCluster(PostgresServer postgres, TempFolder folder) => (_postgres, _folder) = (postgres, folder);

    public IReadOnlyList<ProgramProcess> Silos => _silos;

    public ProgramProcess Coordinator => _silos[0];

    public string Reports => _folder.At("reports");

    public string Store => _folder.At("store");

    /// <summary>The database server's first process.</summary>
    public int? Database => ProcessUse.Find($"-p {_postgres.Port} ") ?? ProcessUse.Find($"-p {_postgres.Port}");

    /// <summary>How a client reaches it.</summary>
    public TabaClusterOptions ClientOptions => ClusterSettings.Read(
        Settings().Select(s => new KeyValuePair<string, string?>(s.Key.Replace("__", ":", StringComparison.Ordinal), s.Value)), Name);

    public static async Task<ScaleCluster> StartAsync(ScaleOptions options)
    {
        var cluster = new ScaleCluster(await PostgresServer.StartAsync(), new());
        Directory.CreateDirectory(cluster.Reports);
        try
        {
            cluster.Begin("coordinator", options);
            await cluster.Coordinator.SaysAsync("ready", s_startLimit);
            for (var i = 1; i <= options.Silos; i++)
                cluster.Begin($"silo-{i}", options);
            if (options.BadHost)
                cluster.Begin(BadHost, options);
            await Task.WhenAll(cluster._silos.Select(s => s.SaysAsync("ready", s_startLimit)));
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>Processor time of coordinators that were killed.</summary>
    public TimeSpan KilledCpu { get; private set; }

    /// <summary>Calls of coordinators that were killed.</summary>
    public long KilledCalls { get; private set; }

    /// <summary>Kills the coordinator and starts it again at once.</summary>
    /// <returns>How long it took until it was a member.</returns>
    public async Task<TimeSpan> RestartCoordinatorAsync(ScaleOptions options)
    {
        var clock = Stopwatch.StartNew();
        KilledCpu += ProcessUse.Of(Coordinator.Id).Cpu;
        KilledCalls += ReadReports()[0].Calls;
        Coordinator.Kill();
        await Coordinator.EndAsync();
        Coordinator.Dispose();
        Begin("coordinator", options);
        _silos[0] = _silos[^1];
        _silos.RemoveAt(_silos.Count - 1);
        await Coordinator.SaysAsync("ready", s_startLimit);
        return clock.Elapsed;
    }

    /// <summary>Writes of grain state since the server began, and bytes of it now.</summary>
    public async Task<(long Writes, long Bytes)> GrainStateAsync()
    {
        await using var connection = new NpgsqlConnection(_postgres.ConnectionString);
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText =
            "select (select n_tup_ins + n_tup_upd from pg_stat_user_tables where relname = 'taba_grain_state'), "
            + "(select coalesce(sum(octet_length(payload)), 0) from taba_grain_state)";
        await using var reader = await command.ExecuteReaderAsync();
        await reader.ReadAsync();
        return (reader.GetInt64(0), reader.GetInt64(1));
    }

    public IReadOnlyList<SiloReport> ReadReports() => [.. _silos.Select(s => SiloReport.Read(Path.Combine(Reports, $"{s.Name}.json")))];

    public async ValueTask DisposeAsync()
    {
        foreach (var silo in _silos)
            silo.Dispose();
        await _postgres.DisposeAsync();
        _folder.Dispose();
    }

    void Begin(string name, ScaleOptions options) =>
        _silos.Add(ProgramProcess.Start(name, Programs.Beside("taba-scale.dll"), _folder.Path, Settings(),
    [
        "silo", "--name", name, "--reports", Reports,
        "--devices", Text(options.DevicesPerSilo), "--batch", Text(options.Batch), "--pass-ms", Text(options.PassTime.TotalMilliseconds),
        "--steps", Text(options.Steps), "--segment-steps", Text(options.SegmentSteps), .. name == BadHost ? ["--bad-host"] : (string[])[],
    ]));

    Dictionary<string, string> Settings() => new()
    {
        [$"Taba__Clusters__{Name}__Provider"] = "postgres",
        [$"Taba__Clusters__{Name}__ConnectionString"] = _postgres.ConnectionString,
        [$"Taba__Clusters__{Name}__Store"] = Store,
        [$"Taba__Clusters__{Name}__Init"] = "true",
        // Many processes share few cores here: threads that spin while they wait for work take them from each other.
        ["DOTNET_ThreadPool_UnfairSemaphoreSpinLimit"] = "0",
    };

    static string Text(IConvertible number) => number.ToString(CultureInfo.InvariantCulture);
}

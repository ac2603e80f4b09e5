using Taba.Testing.Commands;
using Taba.Testing.Servers;

namespace Taba.Testing.Clusters;

/// <summary>
/// Real silos in processes of their own on real servers: PostgreSQL, Redis or Azurite for membership and grain state, a folder or
/// Azurite for tensors. The programs are those of this build.
/// </summary>
public sealed class TestCluster : IAsyncDisposable
{
    public const string Name = "chaos";

    static readonly TimeSpan s_startLimit = TimeSpan.FromSeconds(90);

    readonly TempFolder _folder = new();
    readonly Dictionary<string, ProgramProcess> _silos = [];
    readonly List<ProgramProcess> _clients = [];
    int _clientNumber;

    readonly PostgresServer? _postgres;

    readonly bool _blobs;

    /// <param name="blobs">Tensors are in Azurite.</param>
    TestCluster(PostgresServer? postgres, RedisServer? redis, AzuriteServer? azurite, bool blobs)
    {
        _postgres = postgres;
        Redis = redis;
        Azurite = azurite;
        _blobs = blobs;
        Directory.CreateDirectory(Journals);
    }

    public PostgresServer Postgres => _postgres ?? throw new InvalidOperationException("This cluster meets elsewhere.");

    /// <summary>Where members meet instead of PostgreSQL.</summary>
    public RedisServer? Redis { get; }

    /// <summary>The tensor store's server, or where members meet, or both.</summary>
    public AzuriteServer? Azurite { get; }

    public string Folder => _folder.Path;

    /// <summary>The folder of the tensor store, when it is one; set before the first silo starts, it may be anywhere.</summary>
    public string StoreFolder { get => field ??= Path.Combine(Folder, "store"); set; }

    public string Journals => Path.Combine(Folder, "journals");

    /// <summary>A folder that keeps what every process said; null keeps nothing.</summary>
    public string? Logs { get; set; }

    /// <summary>Settings of every silo and client, beside those of the cluster.</summary>
    public Dictionary<string, string> Settings { get; } = [];

    /// <summary>Further settings of one silo, by its name.</summary>
    public Dictionary<string, Dictionary<string, string>> SettingsOf { get; } = [];

    /// <summary>Silos make the schema of an empty database.</summary>
    public bool SilosInit { get; set; } = true;

    /// <summary>How silos sign in to PostgreSQL; null as its owner.</summary>
    public string? SiloDatabase { get; set; }

    /// <summary>How clients sign in to PostgreSQL; null as its owner.</summary>
    public string? ClientDatabase { get; set; }

    /// <summary>Silos that were started and not removed, by name.</summary>
    public IReadOnlyDictionary<string, ProgramProcess> Silos => _silos;

    /// <summary>The address that a silo binds; loopback unless a test puts silos on networks of their own.</summary>
    public Func<string, (string Address, string[] Within)> Place { get; set; } = _ => ("127.0.0.1", []);

    /// <summary>The program that a silo of a name is.</summary>
    public Func<string, IReadOnlyList<string>> SiloProgram { get; set; } = _ => Programs.Silo;

    /// <summary>The program that clients are.</summary>
    public IReadOnlyList<string> ClientProgram { get; set; } = Programs.Taba;

    /// <param name="azurite">Tensors are kept in Azurite instead of a folder.</param>
    /// <param name="address">Where PostgreSQL listens.</param>
    public static async Task<TestCluster> StartAsync(bool azurite = false, string address = "127.0.0.1") =>
        new(await PostgresServer.StartAsync(address), null, azurite ? await AzuriteServer.StartAsync() : null, azurite);

    /// <summary>A cluster that meets, and keeps its grains' state, in Redis.</summary>
    public static async Task<TestCluster> StartOnRedisAsync() => new(null, await RedisServer.StartAsync(), null, blobs: false);

    /// <summary>A cluster that meets, and keeps its grains' state, in Azurite.</summary>
    /// <param name="blobs">Its tensors too: there is no other server, and no folder.</param>
    public static async Task<TestCluster> StartOnAzureAsync(bool blobs = true) =>
        new(null, null, await AzuriteServer.StartAsync(), blobs);

    /// <summary>Starts a silo and waits until it is a member.</summary>
    public async Task<ProgramProcess> StartSiloAsync(string name, string role = "worker")
    {
        var silo = BeginSilo(name, role);
        await silo.SaysAsync("ready", s_startLimit);
        return silo;
    }

    /// <summary>Starts a silo and does not wait.</summary>
    public ProgramProcess BeginSilo(string name, string role = "worker")
    {
        if (_silos.Remove(name, out var old))
            Retire(old);
        return _silos[name] = Silo(name, role);
    }

    /// <summary>Starts another silo of a name that one has which lives.</summary>
    public ProgramProcess BeginTwin(string name)
    {
        var twin = Silo(name, "worker");
        _clients.Add(twin);
        return twin;
    }

    ProgramProcess Silo(string name, string role)
    {
        var (address, within) = Place(name);
        var settings = new Dictionary<string, string>(ClientSettings())
        {
            [$"Taba__Clusters__{Name}__Address"] = address,
            [$"Taba__Clusters__{Name}__Init"] = SilosInit ? "true" : "false",
            ["Taba__Engine__EvaluationJournal"] = Path.Combine(Journals, $"{name}.journal"),
        };
        foreach (var (key, value) in SettingsOf.GetValueOrDefault(name) ?? [])
            settings[key] = value;
        if (SiloDatabase is not null)
            settings[$"Taba__Clusters__{Name}__ConnectionString"] = SiloDatabase;
        return ProgramProcess.Start(
            name, SiloProgram(name), Folder, settings,
            ["--cluster", Name, "--name", name, "--role", role, "--device", "cpu", "--silo-port", "0", "--gateway-port", "0"], within);
    }

    /// <summary>Starts the command.</summary>
    public ProgramProcess StartClient(params IEnumerable<string> arguments)
    {
        var (_, within) = Place("client");
        var client = ProgramProcess.Start($"client {++_clientNumber}", ClientProgram, Folder, ClientSettings(), arguments, within);
        _clients.Add(client);
        return client;
    }

    /// <summary>Runs the command to its end.</summary>
    /// <exception cref="InvalidOperationException">It ended with another status than 0.</exception>
    public async Task<string> RunClientAsync(TimeSpan atMost, params IEnumerable<string> arguments)
    {
        var ended = await StartClient(arguments).EndAsync(atMost);
        return ended.Status == 0
            ? ended.Output
            : throw new InvalidOperationException($"{ended.Command} ended with {ended.Status}.\n{ended.Output}\n{ended.Errors}");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _silos.Values.Concat(_clients))
            Retire(process);
        if (Azurite is not null)
            await Azurite.DisposeAsync();
        if (Redis is not null)
            await Redis.DisposeAsync();
        if (_postgres is not null)
            await _postgres.DisposeAsync();
        _folder.Dispose();
    }

    /// <summary>Ends a process; what it said stays with the other logs.</summary>
    void Retire(ProgramProcess process)
    {
        process.Thaw();
        process.Dispose();
        if (Logs is null)
            return;
        Directory.CreateDirectory(Logs);
        File.AppendAllText(Path.Combine(Logs, $"{process.Name}.log"), $"{process.Output}\n{process.Errors}\n----\n");
    }

    /// <summary>The environment of every client.</summary>
    public Dictionary<string, string> ClientSettings()
    {
        var section = $"Taba__Clusters__{Name}__";
        var settings = new Dictionary<string, string>(Settings)
        {
            [$"{section}Provider"] = (_postgres, Redis) switch
            {
                (not null, _) => "postgres",
                (_, not null) => "redis",
                _ => "azure",
            },
            [$"{section}Store"] = _blobs ? "azure:taba" : StoreFolder,
        };
        if ((ClientDatabase ?? _postgres?.ConnectionString ?? Redis?.ConnectionString) is { } database)
            settings[$"{section}ConnectionString"] = database;
        if (Azurite is not null)
            settings[$"{section}AzureConnectionString"] = Azurite.ConnectionString;
        return settings;
    }
}

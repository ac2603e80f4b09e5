namespace Taba.Testing.Servers;

/// <summary>A PostgreSQL server of one test class: a cluster of its own in a temporary folder.</summary>
public sealed class PostgresServer : IAsyncDisposable
{
    const string User = "taba";
    const string Password = "taba-test-secret";

    readonly TempFolder _folder = new();
    readonly int _port = ServerProgram.FreePort();

    readonly string _address;

    PostgresServer(string address) => _address = address;

    /// <summary>Why it cannot run here; null when it can.</summary>
    public static string? Missing => Binaries is null ? ServerProgram.Missing("PostgreSQL (Debian: postgresql)") : null;

    /// <summary>For Npgsql.</summary>
    public string ConnectionString =>
        $"Host={_address};Port={_port};Username={User};Password={Password};Database=postgres;Timeout=5;Command Timeout=10";

    /// <summary>The password in it: what must never be seen in a log.</summary>
    public static string Secret => Password;

    public int Port => _port;

    static string? Binaries
    {
        get
        {
            const string Debian = "/usr/lib/postgresql";
            var folders = Directory.Exists(Debian) ? Directory.GetDirectories(Debian).OrderDescending().Select(
                d => Path.Combine(d, "bin")) : [];
            var program = ServerProgram.Find([.. folders.Select(f => Path.Combine(f, "pg_ctl"))]) ?? ServerProgram.OnPath("pg_ctl");
            return program is null ? null : Path.GetDirectoryName(program);
        }
    }

    string Data => _folder.At("data");

    /// <param name="address">Where it listens: loopback unless its clients live in networks of their own.</param>
    public static async Task<PostgresServer> StartAsync(string address = "127.0.0.1")
    {
        var server = new PostgresServer(address);
        if (Environment.UserName == "root")
            await ServerProgram.RunAsync("chown", "postgres", server._folder.Path);
        var password = server._folder.Write("password", System.Text.Encoding.UTF8.GetBytes(Password));
        await AsServerUserAsync(
            "initdb", "-D", server.Data, "-U", User, "--auth=scram-sha-256", $"--pwfile={password}", "--encoding=UTF8", "--no-sync");
        await File.AppendAllTextAsync(Path.Combine(server.Data, "pg_hba.conf"), $"host all all {address}/24 scram-sha-256\n");
        await server.StartAgainAsync();
        return server;
    }

    /// <summary>Stops it in an orderly way: clients are cut off, nothing that was committed is lost.</summary>
    public Task StopAsync() => StopAsync("fast");

    /// <summary>Starts it after a stop, on the same port and data.</summary>
    public async Task StartAgainAsync() => await AsServerUserAsync(
        "pg_ctl", "-D", Data, "-w", "-t", "60", "-l", Path.Combine(Data, "server.log"),
        "-o", $"-p {_port} -c listen_addresses={_address} -c unix_socket_directories={Data} -c max_connections=200", "start");

    public async ValueTask DisposeAsync()
    {
        try
        {
            await StopAsync("immediate");
        }
        catch (InvalidOperationException)
        {
            // It was stopped already.
        }
        _folder.Dispose();
    }

    Task StopAsync(string mode) => AsServerUserAsync("pg_ctl", "-D", Data, "-w", "-m", mode, "stop");

    /// <summary>PostgreSQL refuses to run as root.</summary>
    static Task AsServerUserAsync(string program, params string[] arguments)
    {
        var path = Path.Combine(Binaries ?? throw new InvalidOperationException("PostgreSQL is missing."), program);
        return Environment.UserName == "root"
            ? ServerProgram.RunAsync("runuser", ["-u", "postgres", "--", path, .. arguments])
            : ServerProgram.RunAsync(path, arguments);
    }
}

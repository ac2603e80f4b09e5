using System.CommandLine;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;
using Taba.Grains;
using Taba.Grains.Silos;
using Taba.Silo.Devices;
using Taba.Silo.Engines;
using Taba.Silo.Hosting;
using Taba.Storage.Manifests;
using Taba.Storage.Objects;

namespace Taba.Silo.Clusters;

/// <summary>
/// The program of a silo. Exit status: 0 told to end; 2 bad settings, nothing started; 3 the cluster failed, or declared this silo
/// dead: start it again.
/// </summary>
static partial class SiloProgram
{
    const int Done = 0;
    const int BadInput = 2;
    const int Failed = 3;

    public static async Task<int> RunAsync(string[] args)
    {
        var cluster = new Option<string?>(
            "--cluster")
        { Description = "The cluster's name: a section of Taba:Clusters in the settings. Left out, the only one." };
        var device = new Option<string?>("--device", "--devices")
        {
            Description = $"What this silo drives: {SiloDevices.Expected}. The default is auto, one device."
        };
        var processes = new Option<int?>("--num_processes", "--num-processes")
        {
            Description = "The first so many devices of the kind; on a processor, shares of its cores."
        };
        var role = new Option<string>("--role")
        {
            Description = "worker, or coordinator: no device, holds the grains that coordinate.",
            DefaultValueFactory = _ => "worker"
        };
        role.AcceptOnlyFromAmong("worker", "coordinator");
        var name = new Option<string?>("--name") { Description = "Unique among silos. Left out, machine and process." };
        var siloPort = new Option<int?>("--silo-port") { Description = "Port for other silos; 0 takes a free one." };
        var gatewayPort = new Option<int?>("--gateway-port") { Description = "Port for clients; 0 takes a free one." };
        var init = new Option<bool>("--init")
        {
            Description = "Makes the schema of an empty database, as `taba cluster init` does. Also the cluster's setting Init."
        };
        var verbose = new Option<bool>("--verbose", "-v") { Description = "Logs more, to standard error." };
        var root = new RootCommand(
            """
            A silo of a Taba cluster: one device, several, or none. It ends in an orderly way on SIGTERM or Ctrl-C, within DrainFor.

            Examples:
              Taba.Silo --cluster lab --devices all
              Taba.Silo --cluster lab --device cuda:0,cuda:1
              Taba.Silo --cluster lab --role coordinator --name c1
            """)
        { cluster, device, processes, role, name, siloPort, gatewayPort, init, verbose };
        root.SetAction((parsed, _) => RunAsync(new Arguments(
            parsed.GetValue(cluster), parsed.GetValue(device), parsed.GetValue(processes), parsed.GetValue(role) == "coordinator"
                ? SiloRole.Coordinator
                : SiloRole.Worker,
            parsed.GetValue(name), parsed.GetValue(siloPort), parsed.GetValue(gatewayPort), parsed.GetValue(init),
            parsed.GetValue(verbose))));
        var parsed = root.Parse(args);
        if (parsed.Errors.Count > 0)
            return Explain(parsed.Errors[0].Message, BadInput);
        return await parsed.InvokeAsync(new() { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
    }

    static async Task<int> RunAsync(Arguments arguments)
    {
        using var ended = new CancellationTokenSource();
        using var onTerminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, End);
        using var onInterrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, End);
        try
        {
            var options = Options(arguments);
            await using var silo = await ClusterSilo.StartAsync(options, ended.Token);
            Console.WriteLine(
                $"{options.Name} ready: {options.Role.ToString().ToLowerInvariant()} on {options.Devices} in cluster "
                + $"{options.Cluster.Name}, {silo.Endpoints}, store {options.Cluster.Store}");
            await Task.WhenAny(silo.Ended, silo.Misfit, Task.Delay(Timeout.Infinite, ended.Token));
            if (!ended.IsCancellationRequested && !silo.Misfit.IsCompleted)
                return Explain($"{options.Name} was declared dead by its cluster, or could not go on: start it again", Failed);
            Console.WriteLine($"{options.Name} drains");
            await silo.DrainAsync();
            Console.WriteLine($"{options.Name} left");
            return silo.Misfit.IsCompleted ? Explain(await silo.Misfit, Failed) : Done;
        }
        catch (BadInputException exception)
        {
            return Explain(exception.Message, BadInput);
        }
        catch (Exception exception) when (exception is ClusterUnreachableException or StoreException or StoreBusyException)
        {
            return Explain(exception.Message, Failed);
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
            return Done;
        }

        void End(PosixSignalContext context)
        {
            // A second signal ends at once: that is a kill, and costs what a kill costs.
            context.Cancel = !ended.IsCancellationRequested;
            ended.Cancel();
        }
    }

    static ClusterSiloOptions Options(Arguments arguments)
    {
        if (OpenFiles.Lack(OpenFiles.ToCompute, OpenFiles.Most) is { } lack)
            throw new BadInputException(lack);
        var settings = SettingsFiles.Read();
        SettingsCheck.Require(settings);
        var cluster = ClusterSettings.Read(settings, arguments.Cluster);
        cluster.SiloPort = Port("--silo-port", arguments.SiloPort) ?? cluster.SiloPort;
        cluster.GatewayPort = Port("--gateway-port", arguments.GatewayPort) ?? cluster.GatewayPort;
        cluster.Init |= arguments.Init;
        var name = arguments.Name ?? $"{Environment.MachineName}-{Environment.ProcessId}";
        if (!SiloName().IsMatch(name))
            throw new BadInputException($"--name is '{name}': letters, digits, dots, dashes and underscores are, at most 63.");
        var wanted = arguments.Device ?? settings.LastOrDefault(
            s => s.Key.Equals($"{EngineSettings.Section}:Device", StringComparison.OrdinalIgnoreCase)).Value ?? "auto";
        var devices = arguments.Role == SiloRole.Coordinator
            ? SiloDevices.Resolve("cpu")
            : SiloDevices.Resolve(wanted, arguments.Processes);
        var batch = settings.LastOrDefault(
            s => s.Key.Equals($"{EngineSettings.Section}:BatchSize", StringComparison.OrdinalIgnoreCase)).Value;
        return new()
        {
            Cluster = cluster,
            Name = name,
            Role = arguments.Role,
            Devices = devices,
            BatchSize = batch is null ? devices.DefaultBatchSize : int.Parse(batch, System.Globalization.CultureInfo.InvariantCulture),
            Settings = settings,
            LogLevel = arguments.Verbose ? LogLevel.Debug : LogLevel.Information,
        };
    }

    static int? Port(string flag, int? port) => port is null or (>= 0 and <= 65535)
        ? port
        : throw new BadInputException($"{flag} is {port}: a port is 0 to 65535.");

    static int Explain(string message, int status)
    {
        Console.Error.WriteLine(message.EndsWith('.') || message.EndsWith('?') ? message : message + ".");
        return status;
    }

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9._-]{0,62}\z")]
    private static partial Regex SiloName();

    sealed record Arguments(
        string? Cluster, string? Device, int? Processes, SiloRole Role, string? Name, int? SiloPort, int? GatewayPort, bool Init,
        bool Verbose);
}

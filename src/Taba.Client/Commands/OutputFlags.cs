using System.CommandLine;
using Taba.Client.Sweeps;
using Taba.Grains;
using Taba.Grains.Sweeps;

namespace Taba.Client.Commands;

/// <summary>Flags for the place of a run's output, and for the way in which a command speaks.</summary>
/// <param name="runs">False for a command that only says what would run: it takes what changes that.</param>
/// <param name="takesSaveDir">Whether the command names the run's own folder too.</param>
sealed class OutputFlags(bool runs = true, bool takesSaveDir = true)
{
    readonly Option<string?> _out = Flags.Of<string?>(
        "out",
        (takesSaveDir ? "The folder that holds the store (.taba), and the run when --save_dir is left out."
            : "The folder that holds runs and the store (.taba).")
        + " The default is experiments. With --cluster also blob:PREFIX: run folders as blobs beside the cluster's tensors "
        + "(docs/guide/azure.md).", "-o");
    readonly Option<bool> _overwrite = Flags.Switch("overwrite", "Compute anew, reading nothing from the store.");
    readonly Option<bool> _json = Flags.Switch("json", "Machine-readable lines, no colours.");
    readonly Option<bool> _noWait = Flags.Switch(
        "no_wait", "When another command works in the same store, end at once (3) and do not wait for it.");
    readonly Option<string?> _cluster = Flags.Of<string?>(
        "cluster", "A cluster of the settings (docs/guide/cluster.md). Left out, everything runs in this process.");
    readonly Option<bool> _detach = Flags.Switch(
        "detach", "With --cluster: submit, and do not wait. The same command, or taba watch, fetches the results.");
    readonly Option<string?> _onError = Flags.Of<string?>(
        "on_error", "What failed samples do: continue (the default), fail-fast, or 'stop-after N'.");
    readonly Option<int?> _priority = Flags.Of<int?>(
        "priority", "Of the sweeps of a cluster those of higher priority are served first. The default is 0.");
    readonly Option<bool> _dashboard = Flags.Switch(
        "dashboard", "Shows the run on a page of this machine while it lasts, and opens it in a browser where there is a display "
        + "(docs/guide/dashboard.md).");
    readonly Option<int?> _dashboardPort = Flags.Of<int?>("dashboard_port", "The port of --dashboard. Left out, a free one.");
    readonly Option<bool> _dryRun = Flags.Switch("dry_run", "Say what would run, as taba plan does, and start nothing.");
    readonly Option<bool> _verbose = Flags.Switch("verbose", "Logs on standard error.", "-v");

    /// <summary>The root of outputs when none is given: upstream's.</summary>
    public const string DefaultOut = "experiments";

    public IEnumerable<Option> All => runs
        ? [_out, _overwrite, _cluster, _detach, _onError, _priority, _noWait, _dashboard, _dashboardPort, _dryRun, _json, _verbose]
        : [_out, _overwrite, _cluster, _json];

    public string? Out(ParseResult parsed) => parsed.GetValue(_out);

    public bool Overwrite(ParseResult parsed) => parsed.GetValue(_overwrite);

    public string? Cluster(ParseResult parsed) => parsed.GetValue(_cluster);

    /// <exception cref="BadInputException">Without a cluster nobody would go on.</exception>
    public bool Detach(ParseResult parsed) => Value(parsed, _detach) && parsed.GetValue(_cluster) is null
        ? throw new BadInputException("--detach needs --cluster: without one the sweep runs in this process, and ends with it.")
        : Value(parsed, _detach);

    /// <summary>The port of the dashboard; 0 for a free one, null when none is asked for.</summary>
    /// <exception cref="BadInputException">It is no port, or the run is not in this process.</exception>
    public int? DashboardPort(ParseResult parsed)
    {
        if (Value(parsed, _dashboardPort) is var port && port is < 1 or > 65535)
            throw new BadInputException($"--dashboard_port is {port}: a port is 1 to 65535.");
        if (port is null && !Value(parsed, _dashboard))
            return null;
        return parsed.GetValue(_cluster) is { } cluster
            ? throw new BadInputException(
                $"--dashboard shows a run of this process: of cluster {cluster} the silos show everything (docs/guide/dashboard.md).")
            : port ?? 0;
    }

    /// <summary>A sweep with the policies that flags give.</summary>
    public SweepSpec Policies(ParseResult parsed, SweepSpec spec) => spec with
    {
        OnError = Value(parsed, _onError) is { } text
            ? ErrorPolicyText.Read(text) ?? throw new BadInputException($"--on_error is '{text}': {ErrorPolicyText.Expected}.")
            : spec.OnError,
        Priority = Value(parsed, _priority) ?? spec.Priority,
    };

    public bool NoWait(ParseResult parsed) => Value(parsed, _noWait);

    public bool Json(ParseResult parsed) => parsed.GetValue(_json);

    public bool Verbose(ParseResult parsed) => Value(parsed, _verbose);

    public bool DryRun(ParseResult parsed) => Value(parsed, _dryRun);

    /// <summary>What is given; the default where the command does not take the option.</summary>
    T? Value<T>(ParseResult parsed, Option<T> option) => All.Contains(option) ? parsed.GetValue(option) : default;
}

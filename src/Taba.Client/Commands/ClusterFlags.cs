using System.CommandLine;

namespace Taba.Client.Commands;

/// <summary>Which cluster, and how to speak.</summary>
sealed class ClusterFlags
{
    readonly Option<string?> _cluster = Flags.Of<string?>(
        "cluster", "A cluster of the settings. Left out: Taba:DefaultCluster, or the only one.");
    readonly Option<bool> _json = Flags.Switch("json", "Machine-readable lines, no colours.");

    public Command AddTo(Command command)
    {
        command.Options.Add(_cluster);
        command.Options.Add(_json);
        return command;
    }

    public string? Cluster(ParseResult parsed) => parsed.GetValue(_cluster);

    public bool Json(ParseResult parsed) => parsed.GetValue(_json);
}

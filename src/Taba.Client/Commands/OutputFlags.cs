using System.CommandLine;

namespace Taba.Client.Commands;

/// <summary>How a command speaks, and where a run goes.</summary>
sealed class OutputFlags
{
    readonly Option<string?> _out = Flags.Of<string?>("out", "The folder that holds runs and the store (.taba). The default is experiments.", "-o");
    readonly Option<bool> _overwrite = Flags.Switch("overwrite", "Compute anew, reading nothing from the store.");
    readonly Option<bool> _json = Flags.Switch("json", "Machine-readable lines, no colours.");
    readonly Option<bool> _verbose = Flags.Switch("verbose", "Logs on standard error.", "-v");

    /// <summary>The root of outputs when none is given: upstream's.</summary>
    public const string DefaultOut = "experiments";

    public IEnumerable<Option> All => [_out, _overwrite, _json, _verbose];

    public string? Out(ParseResult parsed) => parsed.GetValue(_out);

    public bool Overwrite(ParseResult parsed) => parsed.GetValue(_overwrite);

    public bool Json(ParseResult parsed) => parsed.GetValue(_json);

    public bool Verbose(ParseResult parsed) => parsed.GetValue(_verbose);
}

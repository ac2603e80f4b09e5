using System.CommandLine;
using System.CommandLine.Completions;
using Taba.Client.Hosts;
using Taba.Client.Sweeps;

namespace Taba.Client.Commands;

/// <summary>A sweep file, overrides of its keys, and where it goes.</summary>
sealed class SweepFileArguments
{
    const string FileName = "SWEEP.yaml";

    readonly Argument<string> _path = new(FileName) { Description = "The sweep file (docs/guide/sweeps.md)." };
    readonly Argument<string[]> _overrides = new("key=value")
    {
        Description = "Overrides of the file's keys, such as samples=64 or num_inference_steps=[10,50].",
        Arity = ArgumentArity.ZeroOrMore,
    };

    readonly CommonFlags _common;
    readonly OutputFlags _output;

    /// <param name="defaultFormat">The format of tensors when none is given.</param>
    /// <param name="runs">False for a command that only says what would run.</param>
    public SweepFileArguments(string defaultFormat, bool runs) => (_common, _output) = (new(defaultFormat), new(runs, takesSaveDir: false));

    /// <summary>True for a command that reads a sweep file.</summary>
    public static bool IsTakenBy(Command command) => command.Arguments.Any(a => a.Name == FileName);

    public void AddTo(Command command)
    {
        command.Arguments.Add(_path);
        command.Arguments.Add(_overrides);
        // Behind the file: before it files are wanted.
        _overrides.CompletionSources.Add(
            typed => typed.ParseResult.GetResult(_path) is { Tokens: [var file] } && file.Value != typed.WordToComplete
            ? SweepFileReader.Keys.Select(key => new CompletionItem($"{key}="))
            : []);
        foreach (var option in _common.All.Concat(_output.All))
            command.Options.Add(option);
    }

    /// <exception cref="BadInputException">The file, an override or a flag cannot be read.</exception>
    public RunJob Job(ParseResult parsed, CommandServices services)
    {
        var overrides = parsed.GetValue(_overrides)!.Select(SweepOverrides.Split).Concat(_common.Overrides(parsed));
        var spec = _output.Policies(
            parsed, SweepFileReader.Read(parsed.GetValue(_path)!, overrides)) with
        { Overwrite = _output.Overwrite(parsed) };
        var root = _output.Out(parsed) ?? OutputFlags.DefaultOut;
        return new RunJob
        {
            Spec = spec,
            StoreRoot = Path.Combine(root, ".taba"),
            Folder = Path.Combine(root, spec.Name),
            CommandLine = services.CommandLine,
            Cluster = _output.Cluster(parsed),
            Detach = _output.Detach(parsed),
            NoWait = _output.NoWait(parsed),
            DashboardPort = _output.DashboardPort(parsed),
            DryRun = _output.DryRun(parsed),
            Json = _output.Json(parsed),
            Verbose = _output.Verbose(parsed),
        };
    }
}

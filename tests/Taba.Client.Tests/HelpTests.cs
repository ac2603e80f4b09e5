using System.CommandLine;
using System.CommandLine.Help;
using System.Text.RegularExpressions;
using Taba.Client.Commands;
using Taba.Client.Embedded;
using Taba.Testing.Client;

namespace Taba.Client.Tests;

/// <summary>Help: every command has its own, with options in groups and examples that can be pasted.</summary>
public sealed partial class HelpTests : IDisposable
{
    static readonly RootCommand s_root = TabaCommand.Create(
        new(new(TextWriter.Null, TextWriter.Null, false, TimeProvider.System), new EmbeddedRun(), "taba"));

    readonly CommandLine _taba = new();

    public static TheoryData<string> Commands => [.. All(s_root).Select(ParseComplaint.Name)];

    public void Dispose() => _taba.Dispose();

    [Theory]
    [MemberData(nameof(Commands))]
    public void Examples_OfEveryCommand_AreItsOwnAndAreUnderstood(string name)
    {
        var command = All(s_root).Single(c => ParseComplaint.Name(c) == name);
        var examples = Assert.IsType<CommandHelp>(Assert.Single(command.Options.OfType<HelpOption>()).Action).Examples;
        Assert.NotEmpty(examples);
        foreach (var example in examples)
        {
            Assert.StartsWith(name, example, StringComparison.Ordinal);
            string[] words = [.. Words().Matches(example.Split(" > ")[0].Split("    #")[0]).Select(m => m.Value.Trim('\'')).Skip(1)];
            Assert.Null(ParseComplaint.Of(s_root.Parse(KeyValueArguments.AsOptions(s_root, words))));
        }
    }

    [Theory]
    [InlineData("sample", "adm")]
    [InlineData("swap", "dit")]
    [InlineData("forward", "if")]
    [InlineData("run", "")]
    public async Task Options_OfCommandsThatHaveMany_StandInGroupsAndOnce(string verb, string family)
    {
        await _taba.DoneAsync([verb, .. family.Length == 0 ? Array.Empty<string>() : [family], "--help"]);
        var help = _taba.Last.Output;
        foreach (var title in new[] { "Model and weights:", "Numbers:", "Where:", "Output:" })
            Assert.Contains($"\n{title}\n", help, StringComparison.Ordinal);
        // Whoever adds an option says where it belongs.
        Assert.DoesNotContain("\nOptions:\n", help, StringComparison.Ordinal);
        var listed = Listed().Matches(help).Select(m => m.Groups[1].Value).ToList();
        Assert.Equal(listed.Distinct(), listed);
        Assert.DoesNotContain(listed, o => o[2..].Contains('-', StringComparison.Ordinal));
        Assert.Contains("Hyphens do as well", help, StringComparison.Ordinal);
    }

    [Fact]
    public void Plan_HasNoOptionThatMeansNothingThere()
    {
        var plan = s_root.Subcommands.Single(c => c.Name == "plan").Options.Select(o => o.Name).ToList();
        Assert.Empty(plan.Intersect(
            ["--detach", "--priority", "--on_error", "--no_wait", "--dashboard", "--dashboard_port", "--dry_run", "--verbose"]));
    }

    [Theory]
    [InlineData("There is no option --swap_before_t of taba forward if: taba swap if has it.", "forward", "if", "--swap_before_t", "3")]
    [InlineData("option --samples of taba plan: it is a key of sweep files, so write samples=4.", "plan", "x.yaml", "--samples", "4")]
    [InlineData("it is a key of sweep files, so write num_inference_steps=VALUE.", "run", "x.yaml", "--num-inference-steps")]
    [InlineData("There is no option --write of taba models check: taba models describe has it.", "models", "check", "x", "--write")]
    [InlineData("There is no option --fromat of taba run. Did you mean --format?", "run", "x.yaml", "--fromat", "pt")]
    public async Task Option_OfAnotherPlace_SaysWhere(string expected, params string[] args) =>
        Assert.Contains(expected, await _taba.RefuseAsync(args), StringComparison.Ordinal);

    static IEnumerable<Command> All(Command command) => command.Subcommands.SelectMany(All).Prepend(command);

    [GeneratedRegex(@"'[^']*'|\S+")]
    private static partial Regex Words();

    [GeneratedRegex(@"^  (?:-\w, )?(--\S+)", RegexOptions.Multiline)]
    private static partial Regex Listed();
}

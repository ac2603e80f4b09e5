using System.CommandLine;
using System.CommandLine.Parsing;

namespace Taba.Client.Commands;

/// <summary>The first thing that is wrong with a command line, as one sentence with a hint.</summary>
static class ParseComplaint
{
    /// <summary>Null when the command line can be run. Help and version run whatever else is there.</summary>
    public static string? Of(ParseResult parsed)
    {
        if (parsed.Action is { ClearsParseErrors: true })
            return null;
        var command = parsed.CommandResult.Command;
        if (UnknownWord(parsed) is { } word)
            return Unknown(word, command);
        return parsed.Errors.Count == 0 ? null : $"{parsed.Errors[0].Message.TrimEnd('.')}. See {PathOf(parsed.CommandResult)} --help.";
    }

    /// <summary>A word that nothing takes; options that a list of arguments swallowed count too.</summary>
    static string? UnknownWord(ParseResult parsed) =>
        (parsed.UnmatchedTokens is [var first, ..] ? first : null)
        ?? parsed.CommandResult.Children.OfType<ArgumentResult>()
            .SelectMany(a => a.Tokens)
            .Select(t => t.Value)
            .FirstOrDefault(v => v.Length > 1 && v[0] == '-');

    static string Unknown(string word, Command command)
    {
        var name = Name(command);
        if (word.StartsWith('-'))
        {
            var options = command.Options.Select(o => o.Name).Where(o => o.StartsWith("--", StringComparison.Ordinal)).ToList();
            var near = UnknownWords.Nearest(word.Split('=')[0], options);
            return $"{name} has no option {word}.{(near is null ? $" See {name} --help." : $" Did you mean {near}?")}";
        }
        return command.Subcommands.Count > 0
            ? $"{name} has no command {word}.{UnknownWords.Hint(word, [.. command.Subcommands.Select(c => c.Name)])}"
            : $"{name} takes no argument '{word}'. See {name} --help.";
    }

    static string Name(Command command)
    {
        var names = new Stack<string>();
        for (var c = command; c is not null and not RootCommand; c = c.Parents.OfType<Command>().FirstOrDefault())
            names.Push(c.Name);
        return string.Join(' ', names.Prepend("taba"));
    }

    static string PathOf(CommandResult result) => Name(result.Command);
}

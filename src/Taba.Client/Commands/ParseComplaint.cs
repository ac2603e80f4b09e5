using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text.RegularExpressions;
using Taba.Client.Sweeps;
using Taba.Grains.Words;

namespace Taba.Client.Commands;

/// <summary>The first thing that is wrong with a command line, as one sentence with a hint.</summary>
static partial class ParseComplaint
{
    const int MostOthers = 3;

    /// <summary>Null when the command line can be run. Help and version run whatever else is there.</summary>
    public static string? Of(ParseResult parsed)
    {
        if (parsed.Action is { ClearsParseErrors: true })
            return null;
        if (UnknownWord(parsed) is { } word)
            return Unknown(word, parsed);
        return parsed.Errors.Count == 0 ? null : $"{Plain(parsed.Errors[0].Message)}. See {Name(parsed.CommandResult.Command)} --help.";
    }

    /// <summary>A word that nothing takes; options that a list of arguments swallowed count too.</summary>
    static string? UnknownWord(ParseResult parsed) =>
        (parsed.CommandResult.Command.TreatUnmatchedTokensAsErrors && parsed.UnmatchedTokens is [var first, ..] ? first : null)
        ?? parsed.CommandResult.Children.OfType<ArgumentResult>()
            .SelectMany(a => a.Tokens)
            .Select(t => t.Value)
            .FirstOrDefault(v => v.Length > 1 && v[0] == '-');

    static string Unknown(string word, ParseResult parsed)
    {
        var command = parsed.CommandResult.Command;
        var name = Name(command);
        if (word.StartsWith('-'))
        {
            var option = word.Split('=')[0];
            return $"There is no option {option} of {name}{SweepKey(option, parsed) ?? Elsewhere(option, parsed) ?? Near(option, command)}";
        }
        return command.Subcommands.Count > 0
            ? $"There is no command {name} {word}.{UnknownWords.Hint(word, [.. command.Subcommands.Select(c => c.Name)])}"
            : $"There is no use for '{word}' in {name}. See {name} --help.";
    }

    static string Near(string option, Command command) =>
        UnknownWords.Nearest(option, command.Options.Select(o => o.Name).Where(o => o.StartsWith("--", StringComparison.Ordinal)))
            is { } near ? $". Did you mean {near}?" : $". See {Name(command)} --help.";

    /// <summary>Where a sweep file is read, its keys are given as key=value; null when the option is none of them.</summary>
    static string? SweepKey(string option, ParseResult parsed)
    {
        var key = option.TrimStart('-').Replace('-', '_');
        if (!SweepFileArguments.IsTakenBy(parsed.CommandResult.Command) || !SweepFileReader.Keys.Contains(key))
            return null;
        var words = parsed.Tokens.Select(t => t.Value).ToList();
        var value = words.ElementAtOrDefault(words.IndexOf(option) + 1) is { } next && !next.StartsWith('-') && words.Contains(option)
            ? next
            : "VALUE";
        return $": it is a key of sweep files, so write {key}={value}.";
    }

    /// <summary>The commands that have an option, those of the same family first; null when none has it.</summary>
    static string? Elsewhere(string option, ParseResult parsed)
    {
        var family = parsed.CommandResult.Command.Name;
        var having = Below(parsed.RootCommandResult.Command)
            .Where(c => c.Options.Any(o => !o.Recursive && (o.Name == option || o.Aliases.Contains(option)))).ToList();
        var near = having.Where(c => c.Name == family).ToList();
        var others = (near.Count > 0 ? near : having).Take(MostOthers).Select(Name).ToList();
        return others.Count == 0 ? null : $": {string.Join(" and ", others)} {(others.Count == 1 ? "has" : "have")} it.";
    }

    static IEnumerable<Command> Below(Command command) => command.Subcommands.SelectMany(c => Below(c).Prepend(c));

    /// <summary>A command as it is typed, from taba on.</summary>
    public static string Name(Command command)
    {
        var names = new Stack<string>();
        for (var c = command; c is not null and not RootCommand; c = c.Parents.OfType<Command>().FirstOrDefault())
            names.Push(c.Name);
        return string.Join(' ', names.Prepend("taba"));
    }

    /// <summary>The parser's messages speak of .NET types, which users do not.</summary>
    static string Plain(string message)
    {
        if (NotParsed().Match(message) is { Success: true } match)
        {
            var expected = match.Groups["type"].Value switch
            {
                "Boolean" => "true or false",
                "Int32" or "Int64" => "a whole number",
                "Double" => "a number",
                _ => "another value",
            };
            return $"{match.Groups["option"].Value} is '{match.Groups["value"].Value}': expected {expected}";
        }
        return message.TrimEnd('.');
    }

    [GeneratedRegex(
        @"^Cannot parse argument '(?<value>.*)' for option '(?<option>[^']*)' as expected type '[^']*System\.(?<type>\w+)[^']*'",
        RegexOptions.Singleline)]
    private static partial Regex NotParsed();
}

using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text.RegularExpressions;
using Taba.Grains.Words;

namespace Taba.Client.Commands;

/// <summary>The first thing that is wrong with a command line, as one sentence with a hint.</summary>
static partial class ParseComplaint
{
    /// <summary>Null when the command line can be run. Help and version run whatever else is there.</summary>
    public static string? Of(ParseResult parsed)
    {
        if (parsed.Action is { ClearsParseErrors: true })
            return null;
        var command = parsed.CommandResult.Command;
        if (UnknownWord(parsed) is { } word)
            return Unknown(word, command);
        return parsed.Errors.Count == 0 ? null : $"{Plain(parsed.Errors[0].Message)}. See {Name(command)} --help.";
    }

    /// <summary>A word that nothing takes; options that a list of arguments swallowed count too.</summary>
    static string? UnknownWord(ParseResult parsed) =>
        (parsed.CommandResult.Command.TreatUnmatchedTokensAsErrors && parsed.UnmatchedTokens is [var first, ..] ? first : null)
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
            return $"There is no option {word} of {name}.{(near is null ? $" See {name} --help." : $" Did you mean {near}?")}";
        }
        return command.Subcommands.Count > 0
            ? $"There is no command {name} {word}.{UnknownWords.Hint(word, [.. command.Subcommands.Select(c => c.Name)])}"
            : $"There is no use for '{word}' in {name}. See {name} --help.";
    }

    static string Name(Command command)
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

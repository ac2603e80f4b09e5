using System.CommandLine;
using System.Text.RegularExpressions;

namespace Taba.Client.Commands;

/// <summary><c>key=value</c> beside flags, as upstream's scripts take it: <c>taba sample adm n_samples=4 seed=3</c>.</summary>
static partial class KeyValueArguments
{
    /// <summary>For help: such words are options before anything is parsed.</summary>
    public static Argument<string[]> Told() => new("key=value ...")
    {
        Description = "Options as upstream's scripts take them: seed=3 is --seed 3.",
        Arity = ArgumentArity.Zero,
    };

    /// <summary>The words of a command line, with every <c>key=value</c> of upstream's commands as <c>--key=value</c>.</summary>
    public static string[] AsOptions(RootCommand root, string[] args)
    {
        if (args.Length < 2 || root.Subcommands.FirstOrDefault(c => c.Name == args[0]) is not { } group || !FamilyCommand.IsGroup(group)
            || group.Subcommands.FirstOrDefault(c => c.Name == args[1]) is not { } command)
            return args;
        var words = new List<string>(args[..2]);
        for (var i = 2; i < args.Length; i++)
        {
            if (args[i].StartsWith('-'))
            {
                words.Add(args[i]);
                if (TakesNext(command, args[i], args.ElementAtOrDefault(i + 1)))
                    words.Add(args[++i]);
            }
            // Upstream's null is what is not given, except as a prompt.
            else if (KeyAndValue().Match(args[i]) is { Success: true } pair)
            {
                if (pair.Groups["value"].Value != "null" || pair.Groups["key"].Value.StartsWith("prompts", StringComparison.Ordinal))
                    words.Add($"--{args[i].TrimStart('+')}");
            }
            else
                words.Add(args[i]);
        }
        return [.. words];
    }

    /// <summary>Whether the word after an option is its value.</summary>
    static bool TakesNext(Command command, string word, string? next)
    {
        if (next is null || word.Contains('=', StringComparison.Ordinal))
            return false;
        var option = command.Options.FirstOrDefault(o => o.Name == word || o.Aliases.Contains(word));
        return option is not null && (option.Arity.MinimumNumberOfValues > 0 || bool.TryParse(next, out _));
    }

    [GeneratedRegex(@"\A\+{0,2}(?<key>[A-Za-z_][A-Za-z0-9_-]*)=(?<value>.*)\z", RegexOptions.Singleline)]
    private static partial Regex KeyAndValue();
}

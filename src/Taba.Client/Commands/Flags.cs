using System.CommandLine;

namespace Taba.Client.Commands;

/// <summary>Makes options. A name of several words is spelled with underscores, as upstream does, or with hyphens.</summary>
static class Flags
{
    public static Option<T> Of<T>(string name, string description, params string[] aliases)
    {
        string[] spellings = name.Contains('_', StringComparison.Ordinal) ? [$"--{name.Replace('_', '-')}", .. aliases] : aliases;
        return new Option<T>($"--{name}", spellings) { Description = description };
    }

    public static Option<T> WithDefault<T>(string name, T otherwise, string description)
    {
        var option = Of<T>(name, description);
        option.DefaultValueFactory = _ => otherwise;
        return option;
    }

    /// <summary>A switch, which also takes <c>true</c> or <c>false</c>.</summary>
    public static Option<bool> Switch(string name, string description, params string[] aliases)
    {
        var option = Of<bool>(name, description, aliases);
        option.Arity = ArgumentArity.ZeroOrOne;
        return option;
    }

    /// <summary>One of a few words; null when it is not given.</summary>
    public static Option<string> OneOf(string name, string description, params string[] values)
    {
        var option = Of<string>(name, description);
        option.HelpName = string.Join('|', values);
        option.Validators.Add(result =>
        {
            if (result.Tokens is [var token, ..] && !values.Contains(token.Value))
                result.AddError($"--{name} is '{token.Value}': expected {string.Join(", ", values[..^1])} or {values[^1]}");
        });
        return option;
    }

    public static bool IsGiven(this ParseResult parsed, Option option) => parsed.GetResult(option) is { Implicit: false };
}

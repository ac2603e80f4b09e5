using System.CommandLine;
using Taba.Client.Sweeps;

namespace Taba.Client.Commands;

/// <summary>Makes options. A name of several words is spelled with underscores, as upstream does, or with hyphens.</summary>
static class Flags
{
    public static Option<T> Of<T>(string name, string description, params string[] aliases)
    {
        string[] spellings = name.Contains('_', StringComparison.Ordinal) ? [$"--{name.Replace('_', '-')}", .. aliases] : aliases;
        var option = new Option<T>($"--{name}", spellings) { Description = description };
        if (IsNumber(typeof(T)))
        {
            option.CustomParser = result =>
            {
                if (result.Tokens is not [var token])
                    return default;
                var wrong = ReadNumber(typeof(T), token.Value, out var number);
                if (wrong is null)
                    return (T)number;
                result.AddError($"--{name} is '{token.Value}': {wrong}");
                return default;
            };
        }
        return option;
    }

    static bool IsNumber(Type type) => (Nullable.GetUnderlyingType(type) ?? type) is var number
        && (number == typeof(int) || number == typeof(long) || number == typeof(double));

    /// <summary>The parser's own way to read numbers takes a decimal comma for a mark of thousands.</summary>
    static string? ReadNumber(Type type, string text, out object number)
    {
        var plain = Nullable.GetUnderlyingType(type) ?? type;
        if (plain == typeof(double))
        {
            var wrongReal = NumberText.ReadReal(text, out var real);
            number = real;
            return wrongReal;
        }
        var isInt = plain == typeof(int);
        var wrong = NumberText.ReadWhole(text, isInt ? int.MinValue : long.MinValue, isInt ? int.MaxValue : long.MaxValue, out var whole);
        number = isInt ? (object)unchecked((int)whole) : whole;
        return wrong;
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
        option.CompletionSources.Add(values);
        option.Validators.Add(result =>
        {
            if (result.Tokens is [var token, ..] && !values.Contains(token.Value))
                result.AddError($"--{name} is '{token.Value}': expected {string.Join(", ", values[..^1])} or {values[^1]}");
        });
        return option;
    }

    public static bool IsGiven(this ParseResult parsed, Option option) => parsed.GetResult(option) is { Implicit: false };
}

using Taba.Diffusion;

namespace Taba.Client.Commands;

/// <summary>
/// Paths of a command line in the user's folder: no shell expands <c>--out=~/x</c>, <c>'~/x'</c> or <c>input_noise=~/x</c>.
/// </summary>
static class HomeArguments
{
    /// <summary>An argument with <c>~/</c> replaced at its beginning, or behind its first equals sign.</summary>
    public static string Expand(string argument)
    {
        var value = argument.IndexOf('=', StringComparison.Ordinal) + 1;
        // The ~ alone behind a key is YAML's null.
        return value > 0 && argument.AsSpan(value).StartsWith("~/")
            ? argument[..value] + HomePath.Expand(argument[value..])
            : HomePath.Expand(argument);
    }
}

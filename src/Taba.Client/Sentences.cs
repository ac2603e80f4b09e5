using System.Text.RegularExpressions;

namespace Taba.Client;

/// <summary>Messages of libraries as sentences.</summary>
static partial class Sentences
{
    /// <summary>
    /// With one full stop, at the end; a library's own, before a semicolon of ours, goes. The first letter stays as it is: it is often a
    /// name such as num_inference_steps.
    /// </summary>
    public static string Of(string message)
    {
        var text = InnerStop().Replace(message.Trim(), "");
        if (text.Length == 0)
            return text;
        var end = text[^1] is '.' or '!' or '?' ? "" : ".";
        return text + end;
    }

    [GeneratedRegex(@"(?<=\w)\.(?=[;,] )")]
    private static partial Regex InnerStop();
}

namespace Taba.Client;

/// <summary>Messages of libraries as sentences.</summary>
static class Sentences
{
    /// <summary>With a capital and a full stop.</summary>
    public static string Of(string message)
    {
        var text = message.Trim();
        if (text.Length == 0)
            return text;
        var end = text[^1] is '.' or '!' or '?' ? "" : ".";
        return $"{char.ToUpperInvariant(text[0])}{text[1..]}{end}";
    }
}

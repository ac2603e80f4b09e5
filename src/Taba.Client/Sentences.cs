namespace Taba.Client;

/// <summary>Messages of libraries as sentences.</summary>
static class Sentences
{
    /// <summary>With a full stop. The first letter stays as it is: it is often a name such as num_inference_steps.</summary>
    public static string Of(string message)
    {
        var text = message.Trim();
        if (text.Length == 0)
            return text;
        var end = text[^1] is '.' or '!' or '?' ? "" : ".";
        return text + end;
    }
}

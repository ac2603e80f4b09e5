using System.Text.Json;

namespace Taba.Client.Progress;

/// <summary>Words of a fixed list, as programs read them: lower case, with hyphens.</summary>
static class JsonCodes
{
    public static string Of<T>(T value)
        where T : struct, Enum => JsonNamingPolicy.KebabCaseLower.ConvertName(value.ToString());
}

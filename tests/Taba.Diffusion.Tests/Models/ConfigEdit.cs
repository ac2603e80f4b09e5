using System.Text.Json;
using System.Text.Json.Nodes;
using Taba.Testing;

namespace Taba.Diffusion.Tests.Models;

/// <summary>The config.json of a fixture, with single fields changed.</summary>
static class ConfigEdit
{
    public static JsonElement Read(string fixture) => With(fixture);

    /// <param name="fixture">Relative to the fixtures.</param>
    /// <param name="changes">Names and JSON values; a null value removes the field.</param>
    public static JsonElement With(string fixture, params (string Name, string? Json)[] changes)
    {
        var root = JsonNode.Parse(File.ReadAllText(Fixtures.At(fixture)))!.AsObject();
        foreach (var (name, json) in changes)
        {
            root.Remove(name);
            if (json is not null)
                root[name] = JsonNode.Parse(json);
        }

        return JsonSerializer.SerializeToElement(root);
    }
}

using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Taba.Storage.Tests.Manifests;

/// <summary>Documents of cells, made without the code under test.</summary>
static class StoredCells
{
    /// <summary>The name of a version.</summary>
    public static string Name(string key, int start, int version) => $"stages/{key}/cells/{start:D10}/v{version:D8}.json";

    /// <summary>A document with other content, whose digest is right.</summary>
    public static byte[] Edited(byte[] document, Action<JsonObject> edit)
    {
        var node = JsonNode.Parse(document)!.AsObject();
        Assert.True(node.Remove("sha256"));
        edit(node);
        return Sealed(node.ToJsonString());
    }

    /// <summary>Puts the digest before a document.</summary>
    public static byte[] Sealed(string json)
    {
        var rest = Encoding.UTF8.GetBytes(json.Length > 0 ? json[1..] : "");
        return [.. Encoding.UTF8.GetBytes($"{{\n  \"sha256\": \"{Convert.ToHexStringLower(SHA256.HashData(rest))}\","), .. rest];
    }
}

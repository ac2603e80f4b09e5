using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Taba.Storage.Manifests;

/// <summary>The store's JSON: snake case, indented for people, strict about missing fields.</summary>
static class StoreJson
{
    static readonly JsonSerializerOptions s_options = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        // Properties that are computed from others are not written.
        IgnoreReadOnlyProperties = true,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter() },
        TypeInfoResolver = new DefaultJsonTypeInfoResolver { Modifiers = { NameRows } },
    };

    public static byte[] Write<T>(T document) => JsonSerializer.SerializeToUtf8Bytes(document, s_options);

    /// <exception cref="JsonException">Not JSON, or not this document.</exception>
    public static T Read<T>(ReadOnlySpan<byte> utf8) =>
        JsonSerializer.Deserialize<T>(utf8, s_options) ?? throw new JsonException("the document is null");

    static void NameRows(JsonTypeInfo type)
    {
        if (type.Type == typeof(RowsRef))
            type.PolymorphismOptions = new()
            {
                TypeDiscriminatorPropertyName = "rows",
                DerivedTypes =
                {
                    new(typeof(NoiseRows), "noise"), new(typeof(StageRows), "stage"), new(typeof(FileRows), "file"),
                    new(typeof(ImageRows), "pictures"),
                    new(typeof(DrawnClassRows), "drawn_classes"), new(typeof(ListedClassRows), "listed_classes"),
                    new(typeof(PromptRows), "prompts"),
                },
            };
    }
}

/// <summary>The content of <c>stage.json</c>: the fields of the key as a user would name them, and the whole specification.</summary>
sealed record StageDescription(string Key, IReadOnlyDictionary<string, string> Fields, StageSpec Spec);

/// <summary>The content of <c>layout.json</c>.</summary>
sealed record LayoutDocument(int Layout);

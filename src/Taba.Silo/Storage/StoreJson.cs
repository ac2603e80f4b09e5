using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Taba.Silo.Storage;

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

    public static byte[] Write(PartManifest manifest) => JsonSerializer.SerializeToUtf8Bytes(manifest, s_options);

    public static byte[] Write(CellDocument cell) => JsonSerializer.SerializeToUtf8Bytes(cell, s_options);

    public static byte[] Write(StageDescription description) => JsonSerializer.SerializeToUtf8Bytes(description, s_options);

    public static byte[] Write(LockHolder holder) => JsonSerializer.SerializeToUtf8Bytes(holder, s_options);

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

/// <summary>The part of <c>stage.json</c> that is read back.</summary>
sealed record StageFields(IReadOnlyDictionary<string, string> Fields);

/// <summary>Who holds the lock of a store.</summary>
sealed record LockHolder(int Pid, string Host, string Command, DateTimeOffset Started);

using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Taba.Silo.Outputs;

/// <summary>
/// The JSON of run folders: snake_case as Python users expect, NaN as the string "NaN". What Python writes too is <see cref="PythonJson"/>.
/// </summary>
public static class RunJson
{
    public static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        WriteIndented = true,
        // A strange file is refused in one sentence, not by a stack overflow.
        MaxDepth = 32,
        RespectNullableAnnotations = true,
        TypeInfoResolver = new DefaultJsonTypeInfoResolver { Modifiers = { RequireWhatIsNotNull } },
    };

    /// <summary>A field that is missing is found where the file is read, not where it is used. Nulls are left out when written.</summary>
    static void RequireWhatIsNotNull(JsonTypeInfo type)
    {
        foreach (var field in type.Properties.Where(p => p.AssociatedParameter is { HasDefaultValue: false, IsNullable: false }))
            field.IsRequired = true;
    }
}

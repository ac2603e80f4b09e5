using System.Text.Json;
using System.Text.RegularExpressions;
using Taba.Testing;

namespace Taba.Parity.Tests;

/// <summary>One end-to-end run of the reference: what was asked for, and what came out.</summary>
sealed partial class E2eCase
{
    /// <summary>The families that are built; a folder below e2e is named by one, perhaps with more behind it.</summary>
    static readonly string[] s_families = ["adm", "ldm", "dit", "if"];

    readonly JsonElement _description;

    E2eCase(string name)
    {
        Name = name;
        _description = Json($"{name}/case.json");
    }

    /// <summary>The folder below the fixtures, such as e2e/adm/sample_T10.</summary>
    public string Name { get; }

    /// <summary>The family that the command is asked for.</summary>
    public string Family => FamilyOf(Name) ?? throw new InvalidDataException($"{Name} is of no family that is built.");

    /// <summary>No autoencoder stands between states and pictures.</summary>
    public bool StatesArePictures => Family is "adm" or "if";

    /// <summary>sample, swap or forward; null when functions of the reference were called instead of a script.</summary>
    public string? Command => _description.TryGetProperty("script", out var script)
        ? ScriptName().Match(script.GetString()!).Groups["what"].Value switch
        {
            "sampling" => "sample",
            "invert_swap" => "swap",
            "invert_forward" => "forward",
            _ => throw new InvalidDataException($"{Name}: {script} is no script of a family."),
        }
        : null;

    /// <summary>The flags of the script and their values.</summary>
    public IEnumerable<KeyValuePair<string, string>> Flags =>
        from flag in _description.GetProperty("cli").EnumerateObject()
        where flag.Value.ValueKind != JsonValueKind.Null
        select KeyValuePair.Create(flag.Name, Text(flag.Value));

    /// <summary>
    /// The scale of guidance that a tensor's rounding went through before it was inverted: 1 for what is sampled, and for runs that were
    /// given the reference's own images.
    /// </summary>
    public double GuidanceBefore(string tensor) =>
        (tensor.EndsWith("latents", StringComparison.Ordinal) || tensor.EndsWith("samples2", StringComparison.Ordinal))
        && _description.TryGetProperty("cli", out var flags)
        && !flags.TryGetProperty("input_samples_path", out _) && !flags.TryGetProperty("input_image_path", out _)
        && flags.TryGetProperty("guidance_scale", out var scale) ? scale.GetDouble() : 1;

    /// <summary>The files that the script left: tensors with what is known of them, and others.</summary>
    public IEnumerable<KeyValuePair<string, JsonElement>> OutputFiles =>
        _description.GetProperty("output_folder").EnumerateObject().Select(file => KeyValuePair.Create(file.Name, file.Value));

    /// <summary>The tensors whose values are stored.</summary>
    public ReferenceTensors Tensors => ReferenceTensors.Load($"{Name}/tensors.safetensors");

    /// <summary>The reference's metrics.json; null when the case has none.</summary>
    public JsonElement? Metrics => File.Exists(ReferenceSet.At($"{Name}/metrics.json")) ? Json($"{Name}/metrics.json") : null;

    /// <summary>A number of the case's description itself.</summary>
    public int Number(string name) => _description.GetProperty(name).GetInt32();

    /// <summary>Cases of the families that are built, of scripts or of functions.</summary>
    public static IEnumerable<string> Discover(bool scripts) =>
        from name in ReferenceSet.Cases("e2e", "case.json")
        where FamilyOf(name) is not null
        where (Read(name).Command is not null) == scripts
        select name;

    public static E2eCase Read(string name) => new(name);

    /// <summary>The case that an argument such as out_adm/sample_T10/samples.pt means, and its tensor; null for any other path.</summary>
    public static (E2eCase Case, string File)? Referred(string path)
    {
        var match = OutputOfAnother().Match(path);
        return match.Success ? (Read($"e2e/{match.Groups["family"]}/{match.Groups["case"]}"), match.Groups["file"].Value) : null;
    }

    /// <summary>The path of a file that the case's folder itself holds, such as prompts.pkl; null when it does not.</summary>
    public string? OwnFile(string file) => File.Exists(ReferenceSet.At($"{Name}/{file}")) ? ReferenceSet.At($"{Name}/{file}") : null;

    /// <summary>
    /// The model of the case: a Hugging Face folder, or a model.json that is written of the reference's constructor arguments, which
    /// are guided-diffusion's flags.
    /// </summary>
    public string WriteModel(TempFolder folder)
    {
        if (Family != "adm")
            return ReferenceSet.At(Json($"{string.Join('/', Name.Split('/')[..2])}/model.json").GetProperty("model").GetString()!);
        var (arguments, weights) = Model();
        var fields = arguments.EnumerateObject().ToDictionary(argument => argument.Name, argument => (object)argument.Value);
        fields["family"] = "adm";
        fields["weights"] = weights;
        return folder.Write("model.json", JsonSerializer.SerializeToUtf8Bytes(fields));
    }

    (JsonElement Arguments, string Weights) Model()
    {
        if (_description.TryGetProperty("args", out var own) && _description.TryGetProperty("weights", out var ownWeights))
            return (own, ReferenceSet.At(ownWeights.GetString()!));
        var family = string.Join('/', Name.Split('/')[..2]);
        var model = Json($"{family}/model.json").GetProperty("model").GetString()!;
        var described = Json($"{model}/case.json");
        return (described.GetProperty("args"), ReferenceSet.At($"{model}/{described.GetProperty("weights")[0].GetString()}"));
    }

    static string? FamilyOf(string name)
    {
        var folder = name.Split('/')[1];
        return s_families.FirstOrDefault(family => folder == family || folder.StartsWith($"{family}_", StringComparison.Ordinal));
    }

    static string Text(JsonElement value) => value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText();

    static JsonElement Json(string relative)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(ReferenceSet.At(relative)));
        return document.RootElement.Clone();
    }

    [GeneratedRegex(@"/run_[a-z]+_(?<what>\w+)\.py$")]
    private static partial Regex ScriptName();

    [GeneratedRegex(@"^out_(?<family>[^/]+)/(?<case>[^/]+)/(?<file>[^/]+\.(pt|pkl))$")]
    private static partial Regex OutputOfAnother();
}

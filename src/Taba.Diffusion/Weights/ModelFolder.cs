using System.Text.Json;
using System.Text.RegularExpressions;

namespace Taba.Diffusion.Weights;

/// <summary>A component of a pipeline as model_index.json names it.</summary>
/// <param name="Name">Its key, which is the name of its folder.</param>
/// <param name="Library">"diffusers", "transformers" ...</param>
/// <param name="ClassName">Its class in that library.</param>
public sealed record ModelComponent(string Name, string Library, string ClassName);

/// <summary>
/// A model folder as diffusers saves it: <c>model_index.json</c> names the pipeline's class and its components, each in a folder of
/// its own with a config and, for networks, weights. Reads only the index; what a component's config means is its reader's affair.
/// </summary>
public sealed partial class ModelFolder
{
    /// <summary>The file that makes a folder a model folder.</summary>
    public const string IndexFile = "model_index.json";

    /// <summary>DiT's index, with its thousand class names, has 25 KB.</summary>
    const int MaxJsonBytes = 4 << 20;

    const int MaxComponents = 64;

    static readonly string[] s_configNames = ["config.json", "scheduler_config.json", "tokenizer_config.json", "preprocessor_config.json"];

    readonly string? _name;

    ModelFolder(
        string path, string? name, string pipeline, IReadOnlyDictionary<string, ModelComponent> components,
        IReadOnlyDictionary<int, string> id2Label)
    {
        FolderPath = path;
        _name = name;
        Pipeline = pipeline;
        Components = components;
        Id2Label = id2Label;
    }

    /// <summary>The folder, absolute.</summary>
    public string FolderPath { get; }

    /// <summary>The pipeline's class: "LDMPipeline", "DiTPipeline", "IFPipeline" ...</summary>
    public string Pipeline { get; }

    /// <summary>The components by name; those that the index gives as null are absent.</summary>
    public IReadOnlyDictionary<string, ModelComponent> Components { get; }

    /// <summary>Class names by class id; empty when the index has none.</summary>
    public IReadOnlyDictionary<int, string> Id2Label { get; }

    /// <summary>True when a folder holds a model_index.json.</summary>
    public static bool IsModelFolder(string path) => File.Exists(Path.Combine(path, IndexFile));

    /// <summary>Reads a folder's index.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="name">What the user calls the model, for the remedy in messages; the folder's own name when null.</param>
    /// <exception cref="InvalidDataException">The folder has no index, or it is damaged or hostile.</exception>
    public static ModelFolder Open(string path, string? name = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var full = Path.GetFullPath(path);
        if (!IsModelFolder(full))
            throw new InvalidDataException($"The folder {full} is no model folder: it has no {IndexFile}. {Remedy(name)}");

        var index = Path.Combine(full, IndexFile);
        var root = BoundedJson.ReadObject(index, MaxJsonBytes);
        if (!root.TryGetProperty("_class_name", out var pipeline) || pipeline.ValueKind != JsonValueKind.String)
            throw new InvalidDataException($"{index} names no pipeline (_class_name).");
        return new ModelFolder(full, name, pipeline.GetString()!, ReadComponents(index, root), ReadLabels(index, root));
    }

    /// <summary>A component, which must be there.</summary>
    /// <exception cref="InvalidDataException">The index does not name it, or its folder is missing.</exception>
    public ModelComponent Component(string name)
    {
        if (!Components.TryGetValue(name, out var component))
        {
            throw new InvalidDataException(
                $"The model folder {FolderPath} has no component '{name}': its {Pipeline} has "
                + $"{string.Join(", ", Components.Keys.Order(StringComparer.Ordinal))}.");
        }

        return Directory.Exists(PathOf(name))
            ? component
            : throw new InvalidDataException($"The model folder {FolderPath} lacks the folder of its component '{name}'. {Remedy(_name)}");
    }

    /// <summary>The folder of a component, which need not exist.</summary>
    public string PathOf(string component) => Path.Combine(FolderPath, component);

    /// <summary>
    /// The config of a component: config.json, or the name that its kind uses (scheduler_config.json, tokenizer_config.json).
    /// </summary>
    /// <exception cref="InvalidDataException">There is none, or it is no JSON object.</exception>
    public JsonElement Config(string component) => BoundedJson.ReadObject(ConfigPath(component), MaxJsonBytes);

    /// <summary>The path of the file that <see cref="Config"/> reads, for messages.</summary>
    /// <exception cref="InvalidDataException">There is none.</exception>
    public string ConfigPath(string component)
    {
        var folder = PathOf(Component(component).Name);
        return s_configNames.Select(name => Path.Combine(folder, name)).FirstOrDefault(File.Exists)
            ?? throw new InvalidDataException(
                $"The component '{component}' of the model folder {FolderPath} has no config ({s_configNames[0]} or "
                + $"{s_configNames[1]}). {Remedy(_name)}");
    }

    /// <summary>Opens the weights of a component, as <see cref="DiffusersWeights.Open"/> chooses them.</summary>
    /// <exception cref="InvalidDataException">There are none; the message names folder, component and remedy.</exception>
    /// <exception cref="WeightsFormatException">A file is damaged, hostile or of another kind.</exception>
    public DiffusersWeights OpenWeights(string component, string? variant = null)
    {
        var folder = PathOf(Component(component).Name);
        try
        {
            return DiffusersWeights.Open(folder, variant);
        }
        catch (InvalidDataException error)
        {
            throw new InvalidDataException($"{error.Message} {Remedy(_name)}", error);
        }
    }

    static string Remedy(string? name) =>
        name is null ? "'taba models pull NAME' fetches a known model whole." : $"'taba models pull {name}' fetches what is missing.";

    static Dictionary<string, ModelComponent> ReadComponents(string index, JsonElement root)
    {
        var components = new Dictionary<string, ModelComponent>(StringComparer.Ordinal);
        foreach (var property in root.EnumerateObject())
        {
            // Every array of two is a component; the rest are settings of the pipeline.
            if (property.Value is not { ValueKind: JsonValueKind.Array } pair || pair.GetArrayLength() != 2)
                continue;
            if (pair[0].ValueKind == JsonValueKind.Null && pair[1].ValueKind == JsonValueKind.Null)
                continue;
            if (!ComponentName().IsMatch(property.Name) || pair[0].ValueKind != JsonValueKind.String
                || pair[1].ValueKind != JsonValueKind.String)
                throw new InvalidDataException(
                    $"{index}: '{Shown(property.Name)}' is not a component: expected a plain name with [library, class].");
            components.Add(property.Name, new ModelComponent(property.Name, pair[0].GetString()!, pair[1].GetString()!));
        }

        return components.Count <= MaxComponents
            ? components
            : throw new InvalidDataException($"{index} names {components.Count} components; at most {MaxComponents} are allowed.");
    }

    static Dictionary<int, string> ReadLabels(string index, JsonElement root)
    {
        var labels = new Dictionary<int, string>();
        if (!root.TryGetProperty("id2label", out var value) || value.ValueKind == JsonValueKind.Null)
            return labels;
        if (value.ValueKind != JsonValueKind.Object)
            throw new InvalidDataException($"{index}: id2label is not an object of class ids and names.");
        foreach (var property in value.EnumerateObject())
        {
            if (!int.TryParse(
                property.Name, System.Globalization.NumberStyles.None, null, out var id) || property.Value.ValueKind != JsonValueKind.String
                || !labels.TryAdd(id, property.Value.GetString()!))
            {
                throw new InvalidDataException($"{index}: id2label has '{Shown(property.Name)}', which is not a class id with a name.");
            }
        }

        return labels;
    }

    static string Shown(string text) => text.Length <= 60 ? text : text[..60] + "...";

    [GeneratedRegex("^[A-Za-z][A-Za-z0-9_]{0,63}$", RegexOptions.CultureInvariant)]
    private static partial Regex ComponentName();
}

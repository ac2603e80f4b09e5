using System.Text.Json;
using Taba.Diffusion.Json;
using Taba.Diffusion.Models.Adm;
using Taba.Diffusion.Models.Gaussian;

namespace Taba.Diffusion.Models.Families;

/// <summary>Reads model.json, the description of a model of one of the families.</summary>
public static class ModelFile
{
    /// <summary>Far more than any description needs.</summary>
    const int MaxBytes = 1 << 20;

    /// <summary>Reads a description; no weights are touched.</summary>
    /// <param name="path">The model.json.</param>
    /// <exception cref="InvalidDataException">
    /// The description is not valid; one sentence names the file, the field and the value.
    /// </exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static GuidedDiffusionDefinition Read(string path)
    {
        var full = Path.GetFullPath(path);
        var length = new FileInfo(full).Length;
        if (length > MaxBytes)
            throw new InvalidDataException($"{path} has {length} bytes; a model description has at most {MaxBytes}.");
        try
        {
            using var document = StrictJson.Parse(File.ReadAllBytes(full));
            return Parse(document.RootElement, full);
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{path} is not valid JSON: {e.Message.TrimEnd('.')}.", e);
        }
    }

    static GuidedDiffusionDefinition Parse(JsonElement element, string path)
    {
        if (element.ValueKind != JsonValueKind.Object)
            throw new InvalidDataException($"{path}: a JSON object is expected, found {element.ValueKind}.");
        var fields = new JsonFields(element, path);
        GuidedDiffusionDefinition definition = fields.Text("family", null) switch
        {
            "adm" => Adm(fields, path),
            "gaussian" => GaussianDefinition.Read(fields, NameOf(path)),
            _ => throw fields.Wrong("family", "\"adm\" or \"gaussian\""),
        };
        fields.RefuseUnknown();
        return definition;
    }

    static AdmDefinition Adm(JsonFields fields, string path)
    {
        var config = AdmConfig.Read(fields);
        config.Validate(path);
        var weights = fields.Text("weights", "");
        return new AdmDefinition
        {
            Name = NameOf(path),
            Config = config,
            Shape = config.Shape,
            DiffusionSteps = config.DiffusionSteps,
            NoiseSchedule = config.NoiseSchedule,
            RescaleTimesteps = config.RescaleTimesteps,
            WeightsPath = weights.Length == 0 ? null : Path.GetFullPath(weights, Path.GetDirectoryName(path)!),
        };
    }

    static string NameOf(string path) =>
        Path.GetFileName(path) == "model.json"
            ? Path.GetFileName(Path.GetDirectoryName(path)!)
            : Path.GetFileNameWithoutExtension(path);
}

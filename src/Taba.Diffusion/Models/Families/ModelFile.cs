using System.Text.Json;
using Taba.Diffusion.Json;
using Taba.Diffusion.Models.Adm;
using Taba.Diffusion.Models.Gaussian;
using Taba.Diffusion.Weights;

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
        if (!BeginsAsJson(full))
            throw new InvalidDataException(OtherThanJson(path, full));
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

    /// <summary>An empty file does, and is refused as JSON.</summary>
    static bool BeginsAsJson(string path)
    {
        var probe = new byte[64];
        using var file = File.OpenRead(path);
        var text = probe.AsSpan(0, file.ReadAtLeast(probe, probe.Length, throwOnEndOfStream: false));
        if (text.StartsWith("\uFEFF"u8))
            text = text[3..];
        text = text.TrimStart(" \t\r\n"u8);
        return text.IsEmpty || text[0] is (byte)'{' or (byte)'[' or (byte)'"';
    }

    /// <summary>Users give the checkpoint where its description is meant.</summary>
    static string OtherThanJson(string path, string full)
    {
        try
        {
            using var weights = WeightsFile.Open(full);
            return $"{path} is a weights file of {weights.Names.Count} tensors, and what is wanted here is its architecture: 'taba models "
                + $"describe {path} --write' makes a model.json of it; or give --weights {path} beside --model with the name of a model "
                + "of that architecture.";
        }
        catch (WeightsFormatException error)
        {
            return $"{path} is no model.json: {error.Fault}";
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
            Assumed = Assumptions(fields),
            Unconfirmed = fields.Has(AdmModelFile.UntoldField) ? fields.Names(AdmModelFile.UntoldField, [.. AdmShapes.Untold]) : [],
            Name = NameOf(path),
            Config = config,
            Shape = config.Shape,
            DiffusionSteps = config.DiffusionSteps,
            NoiseSchedule = config.NoiseSchedule,
            RescaleTimesteps = config.RescaleTimesteps,
            WeightsPath = weights.Length == 0 ? null : Path.GetFullPath(HomePath.Expand(weights), Path.GetDirectoryName(path)!),
        };
    }

    static List<string> Assumptions(JsonFields fields)
    {
        var assumed = new List<string>();
        Unless("diffusion_steps", "1000");
        Unless("noise_schedule", "linear");
        Unless("rescale_timesteps", "false");
        if (!fields.Has("num_head_channels"))
            Unless("num_heads", "4");
        return assumed;

        void Unless(string name, string value)
        {
            if (!fields.Has(name))
                assumed.Add($"{name} = {value}");
        }
    }

    static string NameOf(string path) =>
        Path.GetFileName(path) == "model.json"
            ? Path.GetFileName(Path.GetDirectoryName(path)!)
            : Path.GetFileNameWithoutExtension(path);
}

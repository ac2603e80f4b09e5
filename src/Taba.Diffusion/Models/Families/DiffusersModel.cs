using System.Text.Json;
using Taba.Diffusion.Models.DeepFloydIf;
using Taba.Diffusion.Models.Diffusers;
using Taba.Diffusion.Models.Dit;
using Taba.Diffusion.Models.Ldm;
using Taba.Diffusion.Weights;

namespace Taba.Diffusion.Models.Families;

/// <summary>Reads the models of Hugging Face folders.</summary>
public static class DiffusersModel
{
    /// <summary>Reads a folder's configs; no weights are touched.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="name">What the user calls the model; the folder's name when null.</param>
    /// <exception cref="InvalidDataException">It is no model of a known kind, or a config cannot be used.</exception>
    public static DiffusersDefinition Read(string path, string? name = null)
    {
        var folder = ModelFolder.Open(path, name);
        var given = name ?? Path.GetFileName(Path.TrimEndingDirectorySeparator(folder.FolderPath));
        return Family(folder) switch
        {
            "ldm" => LdmDefinition.Read(folder, given),
            "dit" => DitDefinition.Read(folder, given),
            "if" => IfDefinition.Read(folder, given),
            _ => throw new InvalidDataException(
                $"{folder.FolderPath} holds a {folder.Pipeline} with the components "
                + $"{string.Join(", ", folder.Components.Keys.Order(StringComparer.Ordinal))}; "
                + "known are LDMPipeline and LatentDiffusionUncondPipeline (unet, vqvae), DiTPipeline (transformer, vae) and IFPipeline "
                    + "(unet, text_encoder)."),
        };
    }

    /// <summary>By the pipeline's name, else by what the folder holds.</summary>
    static string? Family(ModelFolder folder)
    {
        var components = folder.Components;
        return folder.Pipeline switch
        {
            "DiTPipeline" => "dit",
            "IFPipeline" or "IFImg2ImgPipeline" or "IFInpaintingPipeline" => "if",
            "LDMPipeline" or "LatentDiffusionUncondPipeline" => "ldm",
            _ when components.ContainsKey("transformer") && components.ContainsKey("vae") => "dit",
            _ when components.ContainsKey("unet") && components.ContainsKey("vqvae") => "ldm",
            _ => null,
        };
    }
}

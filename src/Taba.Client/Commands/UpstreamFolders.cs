using System.Globalization;
using Taba.Diffusion.Weights.Hub;
using Taba.Grains.Sweeps;
using Taba.Silo.Models;

namespace Taba.Client.Commands;

/// <summary>
/// The folder that upstream's scripts give a run when none is named. It has no time stamp, so the same command finds it again.
/// </summary>
static class UpstreamFolders
{
    /// <summary>The run's folder. Parts have a suffix, also when the folder was given, as upstream's ADM scripts do.</summary>
    public static string SaveDir(UpstreamArguments a)
    {
        var folder = a.SaveDir is { } given ? Path.TrimEndingDirectorySeparator(given) : Default(a);
        return a.NParts > 1 ? $"{folder}_part_{a.PartIdx}" : folder;
    }

    /// <summary>The store: beside the run's folder, so that runs that lie together share their stages.</summary>
    public static string StoreRoot(UpstreamArguments a)
    {
        var parent = a.Out
            ?? Path.GetDirectoryName(Path.GetFullPath(a.SaveDir is { } given ? Path.TrimEndingDirectorySeparator(given) : Default(a)))!;
        return Path.Combine(parent, ".taba");
    }

    static string Default(UpstreamArguments a)
    {
        var root = Path.Combine(a.Out ?? OutputFlags.DefaultOut, Root(a));
        if (a.Internal)
            root = Path.Combine(root, "internal");
        var common = $"seed_{a.Seed}_T_{a.NumInferenceSteps}_batch_size_{(a.BatchSize is { } batch ? $"{batch}" : "auto")}";
        if (a.Family.DrawsConditions)
            common += $"_guidance_scale_{a.GuidanceScale.ToString(CultureInfo.InvariantCulture)}";
        var ending = $"__with_reconstruction_{a.WithReconstruction}";
        return a switch
        {
            { Script: UpstreamScript.Sample } => Path.Combine(
                root, "sampling_invert_reconstruction", $"{common}_{Rows(a)}__with_inversion_{a.WithInversion}{ending}{Inputs(a)}"),
            { Script: UpstreamScript.Swap } or { SwapBeforeT: > 0 } => Path.Combine(
                root, "invert", $"swap_{a.SwapType ?? "none"}_before{a.SwapBeforeT ?? 0}", $"{common}{ending}"),
            // Upstream's DiT and IF scripts name the seed here where the seed of the forward noise is meant.
            _ => Path.Combine(
                root, "invert", $"forward_before{a.ForwardBeforeT ?? 0}_seed_{a.ForwardSeed}{Alignment(a)}", $"{common}{ending}"),
        };
    }

    /// <summary>Upstream's folder of a family with one model; another model has one of its own.</summary>
    static string Root(UpstreamArguments a) =>
        a.Family.Folder is { } folder && a.ModelName == a.Family.DefaultModel ? folder : Slug(a.ModelName);

    static string Rows(UpstreamArguments a)
    {
        var c = a.Conditions;
        if (c.Labels is { } labels)
            return $"labels_{Brief(string.Join('_', labels))}_noises_per_prompt_{c.NoisesPerPrompt}";
        if (!a.Family.DrawsConditions)
            return $"n_samples_{a.Samples}";
        var source = c.Prompts is null or "dataset" ? "" : $"_prompts_{Brief(Path.GetFileNameWithoutExtension(c.Prompts))}";
        return $"n_prompts_{c.NPrompts}_noises_per_prompt_{c.NoisesPerPrompt}_cond_seed_{c.CondSeed}{source}";
    }

    /// <summary>
    /// Files that stand in for what is drawn: upstream's LDM script adds the name of the noise file, its DiT and IF scripts say
    /// that there is one.
    /// </summary>
    static string Inputs(UpstreamArguments a)
    {
        if (a.Family.Name == "ldm")
            return a.InputNoisePath is { } noise ? $"_{Brief(Path.GetFileNameWithoutExtension(noise))}" : "";
        return a.Family.DrawsConditions
            && (a.InputNoisePath ?? a.InputImagePath ?? a.InputCondPath ?? a.Conditions.PromptsPath) is not null ? "_with_input" : "";
    }

    static string Alignment(UpstreamArguments a) => a.ForwardAlignment == ForwardAlignment.Upstream ? "" : "_consistent";

    /// <summary>Text of a user as part of a folder's name.</summary>
    static string Brief(string text) => Plain(text.Length > 40 ? text[..40] : text);

    /// <summary>A model's name, or what tells its file from others, as a folder's name.</summary>
    static string Slug(string model)
    {
        if (HubRepository.OfSnapshot(model) is { } repository)
            model = repository.Id;
        var name = Path.GetFileName(Path.TrimEndingDirectorySeparator(model));
        if (name.Equals("model.json", StringComparison.OrdinalIgnoreCase))
            name = Path.GetFileName(Path.GetDirectoryName(Path.GetFullPath(model))) ?? "model";
        return Plain(Path.GetFileNameWithoutExtension(name));
    }

    static string Plain(string text) => PlainName.Of(text, "-_.", '_');
}

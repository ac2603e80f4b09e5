namespace Taba.Client.Commands;

/// <summary>Where upstream's scripts put a run when no folder is given, without the time stamp: the same command finds it again.</summary>
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
        var parent = a.Out ?? Path.GetDirectoryName(Path.GetFullPath(a.SaveDir is { } given ? Path.TrimEndingDirectorySeparator(given) : Default(a)))!;
        return Path.Combine(parent, ".taba");
    }

    static string Default(UpstreamArguments a)
    {
        var root = Path.Combine(a.Out ?? OutputFlags.DefaultOut, a.Family.Folder ?? Slug(a.ModelName));
        if (a.Internal)
            root = Path.Combine(root, "internal");
        var common = $"seed_{a.Seed}_T_{a.NumInferenceSteps}_batch_size_{(a.BatchSize is { } batch ? $"{batch}" : "auto")}";
        return a.Script switch
        {
            UpstreamScript.Sample => Path.Combine(
                root, "sampling_invert_reconstruction",
                $"{common}{(a.Family.DrawsConditions ? $"_n_prompts_{a.Conditions.NPrompts}_noises_{a.Conditions.NoisesPerPrompt}_gs_{Number(a.GuidanceScale)}_cond_seed_{a.Conditions.CondSeed}" : $"_n_samples_{a.Samples}")}__with_inversion_{a.WithInversion}__with_reconstruction_{a.WithReconstruction}"),
            UpstreamScript.Swap => Path.Combine(
                root, "invert", $"swap_{a.SwapType ?? "none"}_before{a.SwapBeforeT ?? 0}", $"{common}__with_reconstruction_{a.WithReconstruction}"),
            _ => Path.Combine(
                root, "invert", $"forward_before{a.ForwardBeforeT ?? 0}_seed_{a.ForwardSeed}", $"{common}__with_reconstruction_{a.WithReconstruction}"),
        };
    }

    static string Number(double value) => value.ToString(System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>A model's name, or what tells its file from others, as a folder's name.</summary>
    static string Slug(string model)
    {
        var name = Path.GetFileName(Path.TrimEndingDirectorySeparator(model));
        if (name.Equals("model.json", StringComparison.OrdinalIgnoreCase))
            name = Path.GetFileName(Path.GetDirectoryName(Path.GetFullPath(model))) ?? "model";
        return string.Concat(Path.GetFileNameWithoutExtension(name).Select(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' ? c : '_'));
    }
}

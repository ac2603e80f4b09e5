using System.Globalization;

namespace Taba.Grains.Words;

/// <summary>A stage in a sentence: what a person asks of a key of 32 digits.</summary>
public static class StageWords
{
    const int KeyDigits = 8;

    public static string Of(StageSpec spec)
    {
        var words = new List<string> { spec.Kind.ToString().ToLowerInvariant() };
        if (spec.HasSteps)
            words.Add($"T={spec.NumInferenceSteps}");
        words.Add($"with {Model(spec.Model)}");
        words.Add($"from {Input(spec.Input)}");
        if (spec.Guidance > 1)
            words.Add($"guidance {spec.Guidance.ToString("R", CultureInfo.InvariantCulture)}");
        if (spec.Conditions is { } conditions)
            words.Add($"of {Input(conditions)}");
        if (spec.Swap is { } swap)
            words.Add($"swap {(swap.Kind == SwapKind.Eps ? "eps" : "xt")} before {swap.Before} of {Input(swap.Source)}");
        if (spec.Forward is { } forward)
            words.Add($"forward before {forward.Before} seed {forward.Noise.Seed}");
        if (spec.Precision.Network != Dtype.Float32)
            words.Add(spec.Precision.Network.Name());
        if (spec.Determinism is { } determinism)
            words.Add($"deterministic on {determinism.DeviceKind}");
        return string.Join(' ', words);
    }

    /// <summary>A model by its name, or by what its file is called.</summary>
    public static string Model(ModelIdentity model) =>
        model.Name ?? Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetDirectoryName(model.Path) is { Length: > 0 } folder
            && Path.HasExtension(model.Path) ? folder : model.Path));

    static string Input(RowsRef rows) => rows switch
    {
        NoiseRows noise => $"noise seed {noise.Seed}",
        StageRows stage => $"stage {stage.Key[..Math.Min(KeyDigits, stage.Key.Length)]}",
        FileRows file => Path.GetFileName(file.Path),
        ImageRows pictures => $"pictures {Path.GetFileName(Path.TrimEndingDirectorySeparator(pictures.Path))}",
        DrawnClassRows drawn => $"classes drawn with seed {drawn.CondSeed}",
        ListedClassRows listed => $"{listed.Ids.Length} listed classes",
        PromptRows prompts => $"prompts {Path.GetFileName(prompts.Source)}",
        _ => rows.GetType().Name,
    };
}

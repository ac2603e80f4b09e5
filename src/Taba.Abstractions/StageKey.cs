using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Taba;

/// <summary>The key of a stage: a digest of everything its numbers depend on. Equal key, equal numbers.</summary>
public static class StageKey
{
    /// <summary>Raised when a change of the mathematics changes numbers; results of older versions are then not reused.</summary>
    /// <remarks>
    /// No constant, which would be copied into other assemblies: tests make programs of another version by changing this one.
    /// </remarks>
    public static int NumericsVersion => 1;

    /// <summary>The key: 32 hexadecimal digits of a SHA-256.</summary>
    public static string Of(StageSpec spec) => Of(spec, NumericsVersion);

    /// <summary>
    /// The key that another version of the mathematics gives the same specification, as far as this one knows its fields.
    /// </summary>
    public static string Of(StageSpec spec, int numericsVersion) =>
        Convert.ToHexStringLower(
            SHA256.HashData(
                Encoding.UTF8.GetBytes(string.Join('\n', Fields(spec, numericsVersion).Select(f => $"{f.Name}={f.Value}")))))[..32];

    /// <summary>The fields that enter the key, in order, named as a user would name them: also what a refused run folder reports.</summary>
    public static IEnumerable<(string Name, string Value)> Fields(StageSpec spec) => Fields(spec, NumericsVersion);

    static IEnumerable<(string Name, string Value)> Fields(StageSpec spec, int numericsVersion)
    {
        var shape = spec.Model.Shape;
        yield return ("numerics_version", numericsVersion.ToString(CultureInfo.InvariantCulture));
        yield return ("stage", spec.Kind.ToString().ToLowerInvariant());
        // Features of pictures are the same, whichever model the run that wants them is of.
        if (spec.Measure is { KeepsFeatures: true } features)
        {
            foreach (var field in Fields(features, shape))
                yield return field;
            if (spec.Determinism is { } pinned)
                yield return ("deterministic", Text(pinned));
            yield break;
        }
        yield return ("model", spec.Model.Digest);
        yield return ("state_shape", shape.ToString());
        yield return ("num_inference_steps", spec.NumInferenceSteps.ToString(CultureInfo.InvariantCulture));
        yield return ("dtype", spec.Precision.Network.Name());
        yield return ("state_dtype", spec.Precision.State.Name());
        yield return ("input", Address(spec.Input, shape));
        if (spec.Output is { } output)
            yield return ("output_shape", output.ToString());
        if (spec.Conditions is { } conditions)
            yield return ("conditions", Address(conditions, shape));
        if (spec.Guidance > 1)
            yield return ("guidance_scale", spec.Guidance.ToString("R", CultureInfo.InvariantCulture));
        if (spec.Swap is { } swap)
        {
            yield return ("swap_type", swap.Kind == SwapKind.Eps ? "eps" : "xt");
            yield return ("swap_before_t", swap.Before.ToString(CultureInfo.InvariantCulture));
            yield return ("swap_source", Address(swap.Source, shape));
            if (swap.Kind == SwapKind.Xt && swap.Before == spec.NumInferenceSteps && swap.Noise is { } noise)
                yield return ("swap_noise", Address(noise, shape));
        }
        if (spec.Forward is { } forward)
        {
            yield return ("forward_before_t", forward.Before.ToString(CultureInfo.InvariantCulture));
            yield return ("forward_noise", Address(forward.Noise, shape));
            if (forward.Consistent)
                yield return ("forward_alignment", "consistent");
        }
        if (spec.Measure is { } measure)
        {
            foreach (var field in Fields(measure, shape))
                yield return field;
        }
        if (spec.Determinism is { } determinism)
            yield return ("deterministic", Text(determinism));
    }

    static IEnumerable<(string Name, string Value)> Fields(MeasureSetting measure, StateShape shape)
    {
        var analyses = measure.KeepsFeatures ? "features" : string.Join(',', measure.Analyses);
        yield return ("analyses", $"{analyses} in format {MeasureSetting.FormatVersion}");
        yield return ("measured_rows", measure.Rows.ToString());
        foreach (var network in measure.Features.IsDefault ? [] : measure.Features)
            yield return ($"features_{network.Network}", network.Digest);
        if (measure.Prompts is { } prompts)
            yield return ("prompts", Address(prompts, shape));
        foreach (var tensor in measure.Tensors)
        {
            // Of features, the tensor is named by what it is of, and not by its place in a run.
            var name = measure.KeepsFeatures ? "" : $"{tensor.Name} ";
            var role = measure.KeepsFeatures ? "pictures" : tensor.Role;
            yield return ($"measured_{role}", $"{name}[{tensor.Shape}] {tensor.Dtype.Name()} {Address(tensor.Rows, shape)}");
        }
    }

    static string Text(DeterminismSetting determinism) => $"batch {determinism.BatchRows} on {determinism.DeviceKind}";

    static string Address(RowsRef rows, StateShape shape) => rows switch
    {
        StageRows stage => $"stage {stage.Key}",
        FileRows file => $"file {file.Digest}",
        ImageRows images => $"pictures {images.Digest} at {images.Height}x{images.Width}",
        DrawnClassRows drawn =>
            $"classes drawn with cond_seed {drawn.CondSeed}, {drawn.NoisesPerPrompt} rows each, of {drawn.LabelsDigest}",
        ListedClassRows listed => $"classes {string.Join(',', listed.Ids)}, {listed.NoisesPerPrompt} rows each",
        PromptRows prompts => $"prompts {prompts.Digest}",
        NoiseRows noise => noise.Address(NoiseStream.Initial, shape).Canonical,
        _ => throw new ArgumentOutOfRangeException(nameof(rows), rows, "unknown kind of rows"),
    };
}

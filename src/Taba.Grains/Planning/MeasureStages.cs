using Taba.Grains.Sweeps;

namespace Taba.Grains.Planning;

/// <summary>The stage that measures a run in blocks, on whichever silos have room.</summary>
static class MeasureStages
{
    /// <summary>
    /// Channels times elements of a row whose covariances are measured in one pass: they take 512 bytes for each. 3x256x256 is 0.6 of it.
    /// What is larger takes several passes over all rows, and no blocks.
    /// </summary>
    const long MostInOnePass = 1 << 20;

    /// <summary>Values of a patch of 8x8 pixels, for each channel.</summary>
    const int PatchPixels = 64;

    /// <summary>Null where the run is measured when its folder is written.</summary>
    public static StageSpec? Of(PlannedRun run, StageSpec template)
    {
        var analyses = run.Analyses.Where(a => a is { InParts: true, Pictures: null }).ToList();
        var tensors = Tensors(run).ToList();
        var deepest = tensors.Select(t => t.Rows).OfType<StageRows>().LastOrDefault();
        // Upstream's numbers are those of an inversion.
        if (run.Tensor("latents") is null && analyses.TrueForAll(a => a.Name == AnalysisRequest.Paper.Name))
            return null;
        if (analyses.Count == 0 || deepest is null || run.Rows.Count < MeasureSetting.FewestRows || tensors.Exists(IsTooLarge))
            return null;
        return new StageSpec
        {
            Kind = StageKind.Measure,
            Model = template.Model,
            NumInferenceSteps = 0,
            Precision = template.Precision,
            Input = deepest,
            Measure = new(
                [.. analyses.Select(a => a.Name).Order(StringComparer.Ordinal)], [.. tensors], run.Rows, analyses.Exists(a => a.OfAll)),
            Output = new(1, 1, Values(tensors)),
        };
    }

    static bool IsTooLarge(MeasuredTensor tensor) => tensor.Shape.Channels * tensor.Shape.Elements > MostInOnePass;

    /// <summary>By the roles that analyses know.</summary>
    public static IEnumerable<MeasuredTensor> Tensors(PlannedRun run)
    {
        var roles = new (string Role, RunTensor? Tensor)[]
        {
            ("noise", run.Tensor("noise")), ("samples", run.Tensor("samples")), ("images", Images("samples")),
            ("latents", run.Tensor("latents")), ("reconstructions", run.Tensor("samples2")), ("reconstructed_images", Images("samples2")),
        };
        foreach (var (role, tensor) in roles)
        {
            if (tensor is { Shape: { } shape })
                yield return new(role, tensor.Name, tensor.Rows, shape, tensor.Dtype);
        }

        RunTensor? Images(string name) => run.Images == ImagePair.Decoded ? run.Pictures(name) : run.Tensor(name);
    }

    /// <summary>
    /// About what is kept of a block, in float32 values: the covariances of noise and latents, of which half a matrix of float64 is kept.
    /// </summary>
    static int Values(IEnumerable<MeasuredTensor> tensors)
    {
        var values = 0L;
        foreach (var (_, _, _, shape, _) in tensors.Where(t => t.Role is "noise" or "latents"))
        {
            var (patches, inPatch) = ((long)shape.Height * shape.Width / PatchPixels, (long)PatchPixels * shape.Channels);
            values += Math.Max(1, patches) * inPatch * inPatch;
        }
        return (int)Math.Max(1, values);
    }
}

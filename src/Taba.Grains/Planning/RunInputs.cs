using Taba.Grains.Stages;
using Taba.Grains.Sweeps;

namespace Taba.Grains.Planning;

/// <summary>The files and rows of a run, checked against the model.</summary>
/// <param name="Noise">Given noise; null when it is drawn.</param>
/// <param name="Images">Given images; null when they are sampled.</param>
/// <param name="TotalRows">N before parts.</param>
/// <param name="Rows">The rows of this part.</param>
sealed record RunInputs(FileRows? Noise, FileRows? Images, FileRows? Conditions, int TotalRows, RowRange Rows, ModelFacts Model)
{
    public static RunInputs Read(SweepSpec spec, ModelFacts model, IInputFiles files)
    {
        var noise = spec.NoisePath is { } noisePath ? State(noisePath, "input_noise_path", model, files) : null;
        var images = spec.ImagesPath is { } imagesPath ? State(imagesPath, "input_image_path", model, files) : null;
        if (images is null && !spec.WithSampling)
            throw new BadInputException("Nothing to invert: give images with --input_image_path (input_images in a sweep), or add the sample stage.");
        var total = images?.TotalRows ?? noise?.TotalRows ?? spec.Samples;
        if (noise is not null && images is not null && noise.TotalRows != images.TotalRows)
            throw new BadInputException($"{noise.Path} has {noise.TotalRows} rows and {images.Path} has {images.TotalRows}: noise and images must have as many.");
        if (total % spec.NParts != 0)
            throw new BadInputException($"{total} samples cannot be cut into {spec.NParts} equal parts: choose n_parts that divides {total}.");
        var rows = total / spec.NParts;
        return new(noise, images, Labels(spec, model, total, files), total, new(spec.PartIdx * rows, (spec.PartIdx + 1) * rows), model);
    }

    /// <summary>A [T,N,C,H,W] file of true predictions or states.</summary>
    public FileRows Swap(string path, int numInferenceSteps, IInputFiles files)
    {
        var tensor = files.Describe(path);
        var m = Model.Identity;
        var expected = new long[] { numInferenceSteps, TotalRows, m.Channels, m.Height, m.Width };
        if (!tensor.Shape.SequenceEqual(expected))
        {
            throw new BadInputException(
                $"swap_path {path} holds [{string.Join(", ", tensor.Shape)}]: expected [{string.Join(", ", expected)}], "
                + "the all_t_* file of a sampling run with the same number of steps and samples.");
        }
        RequireFloat(tensor, "swap_path");
        return new(path, tensor.Digest, TotalRows);
    }

    static FileRows State(string path, string flag, ModelFacts model, IInputFiles files)
    {
        var tensor = files.Describe(path);
        var m = model.Identity;
        if (tensor.Shape.Count != 4 || tensor.Shape[0] < 1 || tensor.Shape[0] > int.MaxValue
            || tensor.Shape[1] != m.Channels || tensor.Shape[2] != m.Height || tensor.Shape[3] != m.Width)
        {
            throw new BadInputException(
                $"{flag} {path} holds [{string.Join(", ", tensor.Shape)}]: model {model.Slug} needs [N, {m.Channels}, {m.Height}, {m.Width}].");
        }
        RequireFloat(tensor, flag);
        return new(path, tensor.Digest, (int)tensor.Shape[0]);
    }

    static FileRows? Labels(SweepSpec spec, ModelFacts model, int total, IInputFiles files)
    {
        if (model.ClassCount is not { } classes)
        {
            return spec.CondPath is null
                ? null
                : throw new BadInputException($"input_cond_path {spec.CondPath} gives class ids, and model {model.Slug} is unconditional: leave it out.");
        }
        if (spec.CondPath is not { } path)
            throw new BadInputException($"Model {model.Slug} is class-conditional ({classes} classes): give int64 class ids, one a sample, with --input_cond_path.");
        var tensor = files.Describe(path);
        if (tensor.Dtype != "int64" || tensor.Shape.Count != 1 || tensor.Shape[0] != total)
            throw new BadInputException($"input_cond_path {path} holds {tensor.Dtype} [{string.Join(", ", tensor.Shape)}]: expected int64 [{total}], one class id a sample.");
        return new(path, tensor.Digest, total);
    }

    static void RequireFloat(InputTensor tensor, string flag)
    {
        if (tensor.Dtype is not ("float32" or "float16" or "bfloat16" or "float64"))
            throw new BadInputException($"{flag} {tensor.Path} holds {tensor.Dtype}: expected floating-point values.");
    }
}

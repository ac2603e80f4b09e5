using Taba.Grains.Sweeps;

namespace Taba.Grains.Planning;

/// <summary>The files and rows of a run, checked against the model.</summary>
/// <param name="Noise">Given noise; null when it is drawn.</param>
/// <param name="Images">Given images: states, or pictures; null when they are sampled.</param>
/// <param name="ArePictures">The images are pictures that an autoencoder must encode.</param>
/// <param name="Conditions">Null for an unconditional model.</param>
/// <param name="TotalRows">N before parts.</param>
/// <param name="Rows">The rows of this part.</param>
/// <param name="Model">The model, at the size of the inputs.</param>
sealed record RunInputs(
    FileRows? Noise, RowsRef? Images, bool ArePictures, RowsRef? Conditions, int TotalRows, RowRange Rows, ModelFacts Model)
{
    public static RunInputs Read(SweepSpec spec, ModelFacts model, IInputFiles files)
    {
        model = AtInputSize(spec, model, files);
        var noise = spec.NoisePath is { } noisePath ? State(noisePath, "input_noise_path", model, files) : null;
        var (images, pictures) = spec.ImagesPath is { } imagesPath ? ImagesOf(imagesPath, model, files) : (null, false);
        if (images is null && !spec.WithSampling)
            throw new BadInputException(
                "Nothing to invert: give images with --input_image_path (input_images in a sweep), or add the sample stage.");
        var conditions = ConditionRules.Read(spec, model, files);
        var imageRows = images switch
        {
            FileRows file => file.TotalRows,
            ImageRows folder => folder.TotalRows,
            _ => (int?)null,
        };
        Agree(spec.NoisePath, noise?.TotalRows, spec.ImagesPath, imageRows);
        Agree(spec.ImagesPath ?? spec.NoisePath, imageRows ?? noise?.TotalRows, spec.CondPath ?? spec.Conditions.PromptsPath
            ?? "the conditions", conditions.TotalRows);
        var total = imageRows ?? noise?.TotalRows ?? conditions.TotalRows ?? spec.Samples;
        if (total % spec.NParts != 0)
            throw new BadInputException(
                $"{total} samples cannot be cut into {spec.NParts} equal parts: choose n_parts that divides {total}.");
        var rows = total / spec.NParts;
        return new(noise, images, pictures, conditions.Rows, total, new(spec.PartIdx * rows, (spec.PartIdx + 1) * rows), model);
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

    /// <summary>Upstream's LDM scripts work at the size of the tensors that they are given.</summary>
    static ModelFacts AtInputSize(SweepSpec spec, ModelFacts model, IInputFiles files)
    {
        if (!model.SizeFollowsInputs || (spec.ImagesPath ?? spec.NoisePath) is not { } path || files.ArePictures(path))
            return model;
        var given = files.Describe(path);
        if (spec.ImagesPath is not null && model.Autoencoder is { } autoencoder && Fits(given, autoencoder.Pictures))
            return model;
        var shape = given.Shape;
        return shape.Count == 4 && shape[1] == model.Identity.Channels && shape[2] is > 0 and < 65536 && shape[3] is > 0 and < 65536
            && (shape[2] != model.Identity.Height || shape[3] != model.Identity.Width)
            ? model.WithSampleSize((int)shape[2], (int)shape[3])
            : model;
    }

    static (RowsRef Images, bool ArePictures) ImagesOf(string path, ModelFacts model, IInputFiles files)
    {
        if (files.ArePictures(path))
        {
            var shape = model.Autoencoder?.Pictures ?? model.Identity.Shape;
            if (shape.Channels != 3)
                throw new BadInputException(
                    $"input_image_path {path} gives pictures, and a picture has 3 channels: the state of model {model.Slug} has "
                    + $"{shape.Channels}.");
            return (files.DescribePictures(path, shape.Height, shape.Width), model.Autoencoder is not null);
        }
        if (model.Autoencoder is { } autoencoder && Fits(files.Describe(path), autoencoder.Pictures))
            return (File(path, "input_image_path", files), true);
        return (State(path, "input_image_path", model, files), false);
    }

    static FileRows State(string path, string flag, ModelFacts model, IInputFiles files)
    {
        var tensor = files.Describe(path);
        var m = model.Identity;
        if (!Fits(tensor, m.Shape))
        {
            var pictures = model.Autoencoder is { } autoencoder && flag == "input_image_path"
                ? $", or pictures [N, {autoencoder.Pictures.Channels}, {autoencoder.Pictures.Height}, {autoencoder.Pictures.Width}]"
                : "";
            throw new BadInputException(
                $"{flag} {path} holds [{string.Join(", ", tensor.Shape)}]: model {model.Slug} needs [N, {m.Channels}, {m.Height}, "
                + $"{m.Width}]{pictures}.");
        }
        return File(path, flag, files);
    }

    static FileRows File(string path, string flag, IInputFiles files)
    {
        var tensor = files.Describe(path);
        RequireFloat(tensor, flag);
        return new(path, tensor.Digest, (int)tensor.Shape[0]);
    }

    static bool Fits(InputTensor tensor, StateShape shape) =>
        tensor.Shape.Count == 4 && tensor.Shape[0] is >= 1 and <= int.MaxValue
        && tensor.Shape[1] == shape.Channels && tensor.Shape[2] == shape.Height && tensor.Shape[3] == shape.Width;

    static void Agree(string? first, int? firstRows, string? second, int? secondRows)
    {
        if (firstRows is { } a && secondRows is { } b && a != b)
            throw new BadInputException($"{first} has {a} rows and {second} has {b}: they must have as many, one a sample.");
    }

    static void RequireFloat(InputTensor tensor, string flag)
    {
        if (Dtypes.Find(tensor.Dtype) is null)
            throw new BadInputException($"{flag} {tensor.Path} holds {tensor.Dtype}: expected floating-point values.");
    }
}

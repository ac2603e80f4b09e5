using Taba.Storage.RunFolders;
using Taba.Diffusion.Tensors;
using Taba.Client.Folders;
using Taba.Grains;
using Taba.Silo.Outputs;
using Taba.Silo.Pictures;

namespace Taba.Client.Reports;

/// <summary>The picture grids of a run folder: written beside its tensors, and shown in the report.</summary>
static class RunPictures
{
    const string FolderName = "pictures";

    /// <summary>Images in a grid.</summary>
    const int Shown = 16;

    /// <summary>Single images smaller than this are magnified, pixel by pixel.</summary>
    const int Tile = 96;

    /// <summary>Draws what the folder holds. Folders without pictures of [N,C,H,W] have none.</summary>
    public static IReadOnlyList<RunPicture> Write(OutputFolder folder, RunFolder run)
    {
        var pictures = new List<RunPicture>();
        Add("noise", PictureTitles.Noise, ValueRange.Latent);
        AddImages("samples", PictureTitles.Samples);
        Add("latents", PictureTitles.Latents, ValueRange.Latent);
        AddImages("samples2", PictureTitles.Reconstructions);
        if (Error(folder, run, Shown) is { } error)
            pictures.Add(Save(folder, "error", "error |x_0 - x̂_0|, white at 0.5", error, ValueRange.Error));
        return pictures;

        // A latent model's states are no pictures; their decoded form is one.
        void AddImages(string name, string title)
        {
            if (Decoded(run, name) is { } decoded)
                Add(decoded, title, ValueRange.Image);
            else
                Add(name, title, ValueRange.Image);
        }

        void Add(string name, string title, ValueRange range)
        {
            if (Images(folder, run, name) is { } images)
                pictures.Add(Save(folder, name, title, images, range));
        }
    }

    /// <summary>
    /// The name of the pictures of <c>samples</c> or <c>samples2</c>; null when the run has none, because those are pictures
    /// themselves.
    /// </summary>
    static string? Decoded(RunFolder run, string name) =>
        run.Tensors.Select(t => t.Name).FirstOrDefault(n => n == $"{name}_decoded" || n == $"decoded_{name}");

    static RunPicture Save(OutputFolder folder, string name, string title, ImageRows images, ValueRange range)
    {
        var png = PictureGrid.Png(images.Values, images.Channels, images.Height, images.Width, range);
        folder.Below(FolderName).Write($"{name}.png", png);
        return new(name, title, png);
    }

    /// <summary>
    /// The first samples of a run one by one: of <c>samples</c> and <c>samples2</c> their pictures, of <c>noise</c> and <c>latents</c> the
    /// states. Empty when the run has none.
    /// </summary>
    public static IReadOnlyList<byte[]> Tiles(OutputFolder folder, RunFolder run, string name, int most)
    {
        var range = name is "noise" or "latents" ? ValueRange.Latent : ValueRange.Image;
        return Images(folder, run, Decoded(run, name) ?? name, most) is { } images ? Singles(images, range) : [];
    }

    /// <summary>What is between samples and reconstructions of the first samples, white at 0.5. Empty when the run has not both.</summary>
    public static IReadOnlyList<byte[]> Differences(OutputFolder folder, RunFolder run, int most) =>
        Error(folder, run, most) is { } error ? Singles(error, ValueRange.Error) : [];

    static ImageRows? Error(OutputFolder folder, RunFolder run, int most) =>
        Images(folder, run, Decoded(run, "samples") ?? "samples", most) is { } a
        && Images(folder, run, Decoded(run, "samples2") ?? "samples2", most) is { } b && a.Values.Length == b.Values.Length
            ? a with { Values = [.. a.Values.Zip(b.Values, static (x, y) => MathF.Abs(x - y))] }
            : null;

    static IReadOnlyList<byte[]> Singles(ImageRows images, ValueRange range)
    {
        var (length, side) = (images.Channels * images.Height * images.Width, Math.Max(images.Height, images.Width));
        return
        [
            .. Enumerable.Range(0, images.Values.Length / length).Select(i => PictureGrid.Single(
                images.Values.AsSpan(i * length, length), images.Channels, images.Height, images.Width, range, Math.Max(1, Tile / side))),
        ];
    }

    static ImageRows? Images(OutputFolder folder, RunFolder run, string name, int most = Shown)
    {
        if (run.Tensors.FirstOrDefault(t => t.Name == name) is not { Shape.Length: 4 } entry || entry.Shape[0] == 0)
            return null;
        using var file = OpenTensor(folder, Path.GetFileName(entry.File));
        var tensor = file.Single(name);
        if (tensor.Shape.Count != 4 || tensor.Shape.Skip(1).Any(length => length is < 1 or > 4096))
            return null;
        var count = (int)Math.Min(most, tensor.Rows);
        return new(FloatReader.Rows(tensor, 0, count), (int)tensor.Shape[1], (int)tensor.Shape[2], (int)tensor.Shape[3]);
    }

    static TensorFile OpenTensor(OutputFolder folder, string file)
    {
        if (folder.LocalPath(file) is { } path)
            return TensorFile.Open(path);
        // It has no handle to close: every request ends by itself.
        var reader = folder.Open(file) ?? throw new BadInputException($"{folder.Place}/{file} is gone: run the same command again.");
        return TensorFile.Open(file, reader.Length, reader.Read);
    }

    sealed record ImageRows(float[] Values, int Channels, int Height, int Width);
}

/// <summary>A grid of a run.</summary>
sealed record RunPicture(string Name, string Title, byte[] Png);

using Taba.Diffusion.Tensors;
using Taba.Grains;
using Taba.Silo.Pictures;

namespace Taba.Client.Folders;

/// <summary>Writes a run folder's tensors in another format.</summary>
static class FolderExport
{
    /// <returns>The files written.</returns>
    /// <exception cref="BadInputException">Nothing to export, or a type that the format does not have.</exception>
    public static IReadOnlyList<string> Tensors(string folder, TensorFormat format, string target, CancellationToken cancellationToken)
    {
        var sources = TensorFiles.In(folder).Where(f => TensorFiles.FormatOf(f.Value) != format).ToList();
        if (sources.Count == 0)
            throw new BadInputException($"All tensors of {folder} are {format.Extension()} files already.");
        Directory.CreateDirectory(target);
        var written = new List<string>();
        foreach (var (name, path) in sources)
        {
            using var file = TensorFile.Open(path);
            var tensor = file.Single(name);
            var to = Path.Combine(target, name + format.Extension());
            try
            {
                using var writer = TensorFileWriter.Create(to, format, name, tensor.Dtype, tensor.Shape);
                TensorCopy.Append(tensor, writer, cancellationToken);
                writer.Complete();
            }
            catch (NotSupportedException e)
            {
                throw new BadInputException($"{path} cannot be written as {format.Extension()}: {e.Message}", e);
            }
            written.Add(to);
        }
        return written;
    }

    /// <summary>Every image of every [N,C,H,W] tensor as its own PNG, at its own size: DIR/png/samples/000017.png.</summary>
    public static IReadOnlyList<string> Pictures(string folder, string target, CancellationToken cancellationToken)
    {
        var folders = new List<string>();
        foreach (var (name, path) in TensorFiles.In(folder))
        {
            using var file = TensorFile.Open(path);
            var tensor = file.Single(name);
            if (tensor.Shape.Count != 4 || tensor.Shape[1] < 1)
                continue;
            var (channels, height, width) = ((int)tensor.Shape[1], checked((int)tensor.Shape[2]), checked((int)tensor.Shape[3]));
            var to = Path.Combine(target, name);
            Directory.CreateDirectory(to);
            var range = name is "noise" or "latents" ? ValueRange.Latent : ValueRange.Image;
            for (long row = 0; row < tensor.Rows; row++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                File.WriteAllBytes(Path.Combine(to, $"{row:000000}.png"), PictureGrid.Single(
                    FloatReader.Rows(tensor, row, 1), channels, height, width, range));
            }
            folders.Add(to);
        }
        return folders.Count > 0 ? folders : throw new BadInputException($"{folder} holds no tensor of images [N,C,H,W].");
    }
}

using SkiaSharp;
using Taba.Diffusion.Tensors;
using Taba.Grains;
using Taba.Testing;
using Taba.Testing.Client;
using static TorchSharp.torch;

namespace Taba.Fuzz;

/// <summary>Inputs that are read as they are, and a folder in which the damaged ones lie.</summary>
sealed class Corpus : IDisposable
{
    const int Side = 24;

    readonly TempFolder _folder = new();

    public Corpus() => Isolation.Begin();

    public string Folder => _folder.Path;

    public string At(params string[] parts) => _folder.At(parts);

    /// <summary>Writes an input where a command looks for it.</summary>
    public string Write(string name, byte[] bytes)
    {
        var path = At(name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, bytes);
        return path;
    }

    /// <summary>A copy of a model's folder whose large files are those of the fixtures.</summary>
    public string Model(string name)
    {
        var target = At("models", name);
        if (Directory.Exists(target))
            return target;
        var source = Fixtures.At($"models/{name}");
        foreach (var file in Directory.EnumerateFiles(source, "*", SearchOption.AllDirectories))
        {
            var copy = Path.Combine(target, Path.GetRelativePath(source, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            if (Path.GetExtension(file) is ".json" or ".model")
                File.Copy(file, copy);
            else
                File.CreateSymbolicLink(copy, file);
        }
        return target;
    }

    public string Gaussian() => TinyModels.Gaussian(At("g", "model.json"), imageSize: 8, diffusionSteps: 100);

    public byte[] Tensor(TensorFormat format, ScalarType dtype, params long[] shape)
    {
        var path = At("seed" + format.Extension());
        using (var writer = TensorFileWriter.Create(path, format, "samples", dtype, shape))
        {
            writer.Write(new byte[shape.Aggregate(1L, (a, b) => a * b) * Size(dtype)]);
            writer.Complete();
        }
        return File.ReadAllBytes(path);
    }

    public static byte[] Picture(SKEncodedImageFormat format)
    {
        using var bitmap = new SKBitmap(Side, Side);
        for (var i = 0; i < Side * Side; i++)
            bitmap.SetPixel(i % Side, i / Side, new SKColor((byte)(i * 7), (byte)(i * 3), (byte)i));
        using var data = bitmap.Encode(format, 80);
        return data.ToArray();
    }

    public void Dispose() => _folder.Dispose();

    static int Size(ScalarType dtype) => dtype switch { ScalarType.Float16 or ScalarType.BFloat16 => 2, ScalarType.Int64 => 8, _ => 4 };
}

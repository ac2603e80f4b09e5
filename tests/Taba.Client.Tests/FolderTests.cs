using Taba.Client.Folders;
using Taba.Diffusion.Tensors;
using Taba.Grains;
using static TorchSharp.torch;

namespace Taba.Client.Tests;

public sealed class FolderTests : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("taba-folders-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(TensorFormat.Npy)]
    [InlineData(TensorFormat.Safetensors)]
    public void Tensors_ThereAndBack_AreTheSameBytes(TensorFormat other)
    {
        var bytes = Write("a", "samples", TensorFormat.Pt, 5, 3, 4, 4);
        var original = File.ReadAllBytes(In("a", "samples.pt"));

        FolderExport.Tensors(In("a"), other, In("b"), CancellationToken.None);
        FolderExport.Tensors(In("b"), TensorFormat.Pt, In("c"), CancellationToken.None);

        Assert.Equal(original, File.ReadAllBytes(In("c", "samples.pt")));
        using var file = TensorFile.Open(In("b", "samples" + other.Extension()));
        var read = new byte[bytes.Length];
        file.Single("samples").ReadRows(0, 5, read);
        Assert.Equal(bytes, read);
    }

    [Fact]
    public void Tensors_InTheFormatAlready_AreRefused()
    {
        Write("a", "samples", TensorFormat.Pt, 2, 3, 4, 4);
        Assert.Throws<BadInputException>(() => FolderExport.Tensors(In("a"), TensorFormat.Pt, In("a"), CancellationToken.None));
        Assert.Throws<BadInputException>(() => FolderExport.Tensors(In("nothing"), TensorFormat.Pt, In("a"), CancellationToken.None));
    }

    [Fact]
    public void Pictures_OfARun_AreOnePngAnImage()
    {
        Write("a", "samples", TensorFormat.Npy, 5, 3, 4, 4);
        Write("a", "conds", TensorFormat.Npy, 5);
        Assert.Single(FolderExport.Pictures(In("a"), In("png"), CancellationToken.None));
        var files = Directory.GetFiles(In("png", "samples"));
        Assert.Equal(5, files.Length);
        Assert.All(files, f => Assert.Equal([0x89, (byte)'P', (byte)'N', (byte)'G'], File.ReadAllBytes(f)[..4]));
    }

    [Fact]
    public void Merge_OfUpstreamsParts_JoinsSamplesAndSteps()
    {
        var rows = new List<byte>();
        for (var part = 0; part < 2; part++)
        {
            rows.AddRange(Write($"p{part}", "latents", TensorFormat.Pt, 3, 3, 8, 8));
            Write($"p{part}", "all_t_latents", TensorFormat.Pt, 4, 3, 3, 8, 8);
            File.WriteAllText(
                In($"p{part}", "metrics.json"),
                $$$"""{"_params": {"seed": 1, "n_parts": 2, "part_idx": {{{part}}}, "output_dir": "p{{{part}}}"}, "metrics": {} }""");
        }

        FolderMerge.Merge([In("p1"), In("p0")], In("all"), CancellationToken.None);

        using var latents = TensorFile.Open(In("all", "latents.pt"));
        var read = new byte[rows.Count];
        latents.Single("latents").ReadRows(0, 6, read);
        Assert.Equal(rows, read);
        using var merged = TensorFile.Open(In("all", "all_t_latents.pt"));
        using var second = TensorFile.Open(In("p1", "all_t_latents.pt"));
        Assert.Equal([4L, 6L, 3L, 8L, 8L], merged.Single("all_t_latents").Shape);
        var (a, b) = (new byte[3 * 192 * 4], new byte[3 * 192 * 4]);
        merged.Single("all_t_latents").ReadSlice(2, 3, 3, a);
        second.Single("all_t_latents").ReadSlice(2, 0, 3, b);
        Assert.Equal(b, a);
        Assert.Contains("\"latent_stats\"", File.ReadAllText(In("all", "metrics.json")), StringComparison.Ordinal);
    }

    [Fact]
    public void Merge_OfDifferentRuns_NamesTheParameter()
    {
        for (var part = 0; part < 2; part++)
        {
            Write($"p{part}", "latents", TensorFormat.Pt, 3, 3, 8, 8);
            File.WriteAllText(
                In($"p{part}", "metrics.json"),
                $$$"""{"_params": {"seed": {{{part}}}, "n_parts": 2, "part_idx": {{{part}}} }, "metrics": {} }""");
        }
        var refused = Assert.Throws<BadInputException>(() => FolderMerge.Merge([In("p0"), In("p1")], In("all"), CancellationToken.None));
        Assert.Contains("differ in seed", refused.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(In("all")));
    }

    [Fact]
    public void Floats_OfHalfPrecision_AreConverted()
    {
        Directory.CreateDirectory(In("h"));
        using (var writer = TensorFileWriter.Create(In("h", "x.pt"), TensorFormat.Pt, "x", ScalarType.BFloat16, [2]))
        {
            writer.Write([0x80, 0x3f, 0x00, 0xc0]);
            writer.Complete();
        }
        using var file = TensorFile.Open(In("h", "x.pt"));
        Assert.Equal([1f, -2f], FloatReader.Rows(file.Single("x"), 0, 2));
    }

    string In(params string[] parts) => Path.Combine([_folder, .. parts]);

    byte[] Write(string folder, string name, TensorFormat format, params long[] shape)
    {
        Directory.CreateDirectory(In(folder));
        using var writer = TensorFileWriter.Create(In(folder, name + format.Extension()), format, name, ScalarType.Float32, shape);
        var values = new float[writer.ByteCount / sizeof(float)];
        var state = (uint)(folder.Length + 31 * name.Length + folder[^1]);
        for (var i = 0; i < values.Length; i++)
        {
            state = state * 1664525 + 1013904223;
            values[i] = state / (float)uint.MaxValue - 0.5f;
        }
        var bytes = System.Runtime.InteropServices.MemoryMarshal.AsBytes(values.AsSpan()).ToArray();
        writer.Write(bytes);
        writer.Complete();
        return bytes;
    }
}

using System.Runtime.InteropServices;
using Taba.Diffusion.Tensors;
using Taba.Testing;
using static TorchSharp.torch;

namespace Taba.Diffusion.Tests.Tensors;

/// <summary>Files of more than 4 GiB, where zip archives change their records; holes keep them small on disk.</summary>
public sealed class HugeTensorTests : IDisposable
{
    const long Rows = 65_600, Steps = 16, Elements = 1024, RowBytes = Steps * Elements * 4;
    const int TailRows = 3;

    // torch 1.13 reads the whole tensor.
    const long TorchNeeds = 12L << 30;

    readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(TensorFormat.Safetensors)]
    [InlineData(TensorFormat.Pt)]
    [InlineData(TensorFormat.Npy)]
    public void Complete_MoreThanFourGigabytes_ReadsBack(TensorFormat format)
    {
        var (path, tail) = WriteSparse(format);
        using var file = TensorFile.Open(path);
        var tensor = file.Single("x");
        Assert.Equal([Rows, Steps, Elements], tensor.Shape);

        var rows = new byte[(TailRows + 1) * RowBytes];
        tensor.ReadRows(Rows - TailRows - 1, TailRows + 1, rows);
        Assert.True(rows.AsSpan(0, (int)RowBytes).IndexOfAnyExcept((byte)0) < 0);
        TensorAssert.SameBytes(rows.AsSpan((int)RowBytes), tail, "the last rows");

        var slice = new byte[2 * Elements * 4];
        tensor.ReadSlice(Rows - 1, Steps - 2, 2, slice);
        TensorAssert.SameBytes(slice, tail.AsSpan(tail.Length - slice.Length), "the last steps of the last row");
    }

    [Fact]
    [Trait(Needs.Trait, Needs.Process)]
    public void Complete_PtOfMoreThanFourGigabytes_PassesPythonsZipTest()
    {
        Assert.SkipWhen(PythonTorch.MissingPython is not null, PythonTorch.MissingPython ?? "");
        var (path, _) = WriteSparse(TensorFormat.Pt);
        Assert.Equal("Done testing", PythonTorch.RunInterpreter("-m", "zipfile", "-t", path).TrimEnd());
        var listing = PythonTorch.Run(
            "import sys, zipfile; [print(i.filename, i.file_size) for i in zipfile.ZipFile(sys.argv[1]).infolist()]", path);
        Assert.Contains($"archive/data/0 {Rows * RowBytes}", listing, StringComparison.Ordinal);
    }

    [Fact]
    [Trait(Needs.Trait, Needs.Process)]
    public void Complete_PtOfMoreThanFourGigabytes_LoadsInPythonWithWeightsOnly()
    {
        Assert.SkipWhen(PythonTorch.MissingTorch is not null, PythonTorch.MissingTorch ?? "");
        var available = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        Assert.SkipWhen(
            available < TorchNeeds,
            $"torch holds the whole tensor: {TorchNeeds >> 30} GiB of memory are needed, {available >> 30} are there.");

        var (path, tail) = WriteSparse(TensorFormat.Pt);
        var output = PythonTorch.Run(
            """
            import sys, torch, hashlib
            t = torch.load(sys.argv[1], weights_only=True)
            print(tuple(t.shape), t.dtype, hashlib.sha256(t[-3:].numpy().tobytes()).hexdigest(), t[:-3:997].count_nonzero().item())
            """,
            path);
        var digest = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(tail));
        Assert.Equal($"({Rows}, {Steps}, {Elements}) torch.float32 {digest} 0", output.TrimEnd());
    }

    (string Path, byte[] Tail) WriteSparse(TensorFormat format)
    {
        var path = _folder.At("x" + format.Extension());
        var values = new float[TailRows * Steps * Elements];
        for (var i = 0; i < values.Length; i++)
            values[i] = i + 1;
        var tail = MemoryMarshal.AsBytes(values.AsSpan()).ToArray();

        using var writer = TensorFileWriter.Create(
            path, _ => new SparseFile(path), format, "x", ScalarType.Float32, [Rows, Steps, Elements]);
        writer.WriteZeros((Rows - TailRows) * RowBytes);
        writer.Write(tail);
        writer.Complete();
        return (path, tail);
    }
}

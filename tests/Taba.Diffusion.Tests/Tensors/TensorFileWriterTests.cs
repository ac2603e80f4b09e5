using Taba.Diffusion.Tensors;
using Taba.Testing;
using static TorchSharp.torch;

namespace Taba.Diffusion.Tests.Tensors;

public sealed class TensorFileWriterTests : IDisposable
{
    readonly TempFolder _folder = new();

    public static TheoryData<TensorFormat, ScalarType> Kinds
    {
        get
        {
            var kinds = new TheoryData<TensorFormat, ScalarType>();
            ScalarType[] types =
            [
                ScalarType.Float64, ScalarType.Float32, ScalarType.Float16, ScalarType.BFloat16, ScalarType.Int64, ScalarType.Int32,
                ScalarType.Int16, ScalarType.Int8, ScalarType.Byte, ScalarType.Bool,
            ];
            foreach (var format in Enum.GetValues<TensorFormat>())
            {
                foreach (var type in types.Where(type => format != TensorFormat.Npy || type != ScalarType.BFloat16))
                    kinds.Add(format, type);
            }

            return kinds;
        }
    }

    public static TheoryData<TensorFormat> Formats => [.. Enum.GetValues<TensorFormat>()];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Complete_AnyTypeAndShape_ReadsBack(TensorFormat format, ScalarType dtype)
    {
        long[][] shapes = [[], [0], [1], [3, 0, 2], [5], [2, 3, 4, 5]];
        foreach (var shape in shapes)
        {
            var path = _folder.At("samples" + format.Extension());
            byte[] bytes;
            using (var writer = TensorFileWriter.Create(path, format, "samples", dtype, shape))
            {
                bytes = RandomBytes(writer.ByteCount, dtype);
                writer.Write(bytes);
                writer.Complete();
            }

            using var file = TensorFile.Open(path);
            var tensor = file.Single("samples");
            Assert.Equal("samples", tensor.Name);
            Assert.Equal(dtype, tensor.Dtype);
            Assert.Equal(shape, tensor.Shape);
            Assert.Equal(bytes, FixtureTensors.Bytes(tensor));
        }
    }

    [Fact]
    [Trait(Needs.Trait, Needs.Process)]
    public void Complete_Pt_PassesPythonsZipTest()
    {
        Assert.SkipWhen(PythonTorch.MissingPython is not null, PythonTorch.MissingPython ?? "");
        var path = _folder.At("x.pt");
        using (var writer = TensorFileWriter.Create(path, TensorFormat.Pt, "x", ScalarType.Float32, [100, 1000]))
        {
            for (var row = 0; row < 100; row++)
                writer.Write(RandomBytes(4000, ScalarType.Byte));
            writer.Complete();
        }

        CheckZip(path);
        var file = File.ReadAllBytes(path);
        file[file.Length / 2] ^= 1;
        Assert.Contains(
            "corrupted", PythonTorch.RunInterpreter("-m", "zipfile", "-t", _folder.Write("bad.pt", file)), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Complete_EqualTensors_MakeEqualFiles(TensorFormat format, ScalarType dtype)
    {
        var bytes = RandomBytes(6 * Taba.Diffusion.Weights.ElementTypes.Size(dtype), dtype);
        foreach (var name in new[] { "one", "two" })
        {
            using var writer = TensorFileWriter.Create(_folder.At(name), format, "x", dtype, [2, 3]);
            writer.Write(bytes);
            writer.Complete();
        }

        Assert.Equal(File.ReadAllBytes(_folder.At("one")), File.ReadAllBytes(_folder.At("two")));
    }

    [Fact]
    public void Create_Data_IsAlignedTo64Bytes()
    {
        byte[] data = [251, 252, 253, 254];
        foreach (var format in Enum.GetValues<TensorFormat>())
        {
            using var writer = TensorFileWriter.Create(_folder.At("x"), format, "x", ScalarType.Byte, [4]);
            writer.Write(data);
            writer.Complete();
            Assert.Equal(0, File.ReadAllBytes(_folder.At("x")).AsSpan().IndexOf(data) % 64);
        }
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void Dispose_WithoutComplete_LeavesWhatWasThere(TensorFormat format)
    {
        var path = _folder.Write("x", "before"u8);
        using (var writer = TensorFileWriter.Create(path, format, "x", ScalarType.Float32, [100]))
        {
            writer.WriteZeros(200);
            var error = Assert.Throws<InvalidOperationException>(writer.Complete);
            Assert.Contains("200 of 400", error.Message, StringComparison.Ordinal);
        }

        Assert.Equal("before", File.ReadAllText(path));
        Assert.Equal([path], Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public void Write_MoreThanTheShape_Throws()
    {
        using var writer = TensorFileWriter.Create(_folder.At("x"), TensorFormat.Pt, "x", ScalarType.Float32, [2]);
        writer.Write([1, 2, 3, 4]);
        Assert.Throws<InvalidOperationException>(() => writer.Write(new byte[5]));
    }

    [Fact]
    public void Create_NpyOfBFloat16_SaysWhatToDo()
    {
        var error = Assert.Throws<NotSupportedException>(
            () => TensorFileWriter.Create(_folder.At("x"), TensorFormat.Npy, "x", ScalarType.BFloat16, [2]));
        Assert.Contains("safetensors", error.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public void Create_AbsurdShape_Throws()
    {
        Assert.ThrowsAny<ArgumentException>(
            () => TensorFileWriter.Create(_folder.At("x"), TensorFormat.Pt, "x", ScalarType.Byte, [1L << 60, 1L << 60]));
        Assert.ThrowsAny<ArgumentException>(() => TensorFileWriter.Create(_folder.At("x"), TensorFormat.Pt, "x", ScalarType.Byte, [-1]));
    }

    static void CheckZip(string path)
    {
        if (PythonTorch.MissingPython is null)
            Assert.Equal("Done testing", PythonTorch.RunInterpreter("-m", "zipfile", "-t", path).TrimEnd());
    }

    static byte[] RandomBytes(long count, ScalarType dtype)
    {
        var bytes = new byte[count];
        new Random((int)count).NextBytes(bytes);
        if (dtype == ScalarType.Bool)
        {
            foreach (ref var item in bytes.AsSpan())
                item &= 1;
        }

        return bytes;
    }
}

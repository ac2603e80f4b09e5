using System.Runtime.InteropServices;
using Taba.Diffusion.Tensors;
using Taba.Diffusion.Tests.Weights;
using Taba.Diffusion.Weights;
using Taba.Testing;
using static TorchSharp.torch;

namespace Taba.Diffusion.Tests.Tensors;

public sealed class TensorReaderTests : IDisposable
{
    // [T,N,C] = [3,4,2]: the value of an element tells its indices.
    const int T = 3, N = 4, C = 2;

    readonly TempFolder _folder = new();

    public static TheoryData<string> Layouts => ["safetensors", "pt", "npy", "transposed pt", "fortran npy"];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Layouts))]
    public void ReadRows_AnyRange_GivesItsElements(string layout)
    {
        using var file = TensorFile.Open(Example(layout));
        var tensor = file.Single("x");
        Assert.Equal([T, N, C], tensor.Shape);
        Assert.Equal((T, N * C * 4, T * N * C * 4), (tensor.Rows, tensor.RowBytes, tensor.ByteCount));
        for (var start = 0; start <= T; start++)
        {
            for (var count = 0; count <= T - start; count++)
            {
                var rows = new float[count * N * C];
                tensor.ReadRows(start, count, MemoryMarshal.AsBytes(rows.AsSpan()));
                Assert.Equal(Enumerable.Range(start, count).SelectMany(t => Enumerable.Range(0, N).SelectMany(n => Row(t, n))), rows);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Layouts))]
    public void ReadSlice_AnyRange_GivesItsElements(string layout)
    {
        using var file = TensorFile.Open(Example(layout));
        var tensor = file.Single("x");
        for (var t = 0; t < T; t++)
        {
            for (var start = 0; start <= N; start++)
            {
                var rows = new float[(N - start) * C];
                tensor.ReadSlice(t, start, N - start, MemoryMarshal.AsBytes(rows.AsSpan()));
                Assert.Equal(Enumerable.Range(start, N - start).SelectMany(n => Row(t, n)), rows);
            }
        }
    }

    [Theory]
    [InlineData(-1, 1)]
    [InlineData(0, 4)]
    [InlineData(4, 0)]
    [InlineData(1, long.MaxValue)]
    public void ReadRows_OutsideTheTensor_Throws(long start, long count)
    {
        using var file = TensorFile.Open(Example("pt"));
        Assert.Throws<ArgumentOutOfRangeException>(() => file.Single("x").ReadRows(start, count, []));
    }

    [Fact]
    public void ReadRows_DestinationOfAnotherSize_Throws()
    {
        using var file = TensorFile.Open(Example("pt"));
        Assert.Throws<ArgumentException>(() => file.Single("x").ReadRows(0, 1, new byte[N * C * 4 + 1]));
    }

    [Fact]
    public void ReadRows_FileCutWhileOpen_IsRefused()
    {
        var path = Example("safetensors");
        using var file = TensorFile.Open(path);
        using (var other = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
            other.SetLength(other.Length - 4);
        Assert.Throws<WeightsFormatException>(() => FixtureTensors.Bytes(file.Single("x")));
    }

    [Fact]
    public void Tensor_UnknownName_ListsTheNames()
    {
        using var file = TensorFile.Open(Example("safetensors"));
        var error = Assert.Throws<WeightsFormatException>(() => file.Tensor("samples"));
        Assert.Contains("'samples'; it holds x.", error.Fault, StringComparison.Ordinal);
    }

    [Fact]
    public void Single_SeveralTensors_TakesThePreferred()
    {
        using var file = TensorFile.Open(_folder.Write("x", CheckpointBytes.Safetensors(
            """{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}""", 1, 2)));
        Assert.Equal("b", file.Single("b").Name);
        Assert.Throws<WeightsFormatException>(() => file.Single("c"));
    }

    static IEnumerable<float> Row(int t, int n) => Enumerable.Range(0, C).Select(c => 100f * t + 10 * n + c);

    string Example(string layout)
    {
        var values = Enumerable.Range(0, T).SelectMany(t => Enumerable.Range(0, N).SelectMany(n => Row(t, n))).ToArray();
        // [C,N,T] in row-major order is [T,N,C] with the first axis fastest.
        var reversed = Enumerable.Range(0, C).SelectMany(
            c => Enumerable.Range(0, N).SelectMany(n => Enumerable.Range(0, T).Select(t => 100f * t + 10 * n + c))).ToArray();
        switch (layout)
        {
            case "transposed pt":
                return _folder.Write("x", CheckpointBytes.TorchZip(
                    new PickleBuilder().Tensor("k", values.Length, [T, N, C], [1, T, T * N]).Stop(),
                    ("k", CheckpointBytes.Floats(reversed))));
            case "fortran npy":
                var header = "{'descr': '<f4', 'fortran_order': True, 'shape': (3, 4, 2), }"u8;
                return _folder.Write(
                    "x", [0x93, .. "NUMPY\u0001\0"u8, (byte)header.Length, 0, .. header, .. CheckpointBytes.Floats(reversed)]);
            default:
                Assert.True(TensorFormats.TryParse(layout, out var format));
                using (var writer = TensorFileWriter.Create(_folder.At("x"), format, "x", ScalarType.Float32, [T, N, C]))
                {
                    writer.Write(CheckpointBytes.Floats(values));
                    writer.Complete();
                }

                return _folder.At("x");
        }
    }
}

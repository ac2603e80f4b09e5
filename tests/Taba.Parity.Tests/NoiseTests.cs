using System.Globalization;
using Taba.Diffusion.Randomness;
using Taba.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace Taba.Parity.Tests;

/// <summary>The numbers Python users already have, bit for bit.</summary>
public sealed class NoiseTests
{
    const string Folder = "rng";

    static readonly ReferenceTensors Tensors = ReferenceTensors.Load($"{Folder}/rng.safetensors");

    public static TheoryData<string> Named(string prefix) =>
        [.. Tensors.Names.Where(name => name.StartsWith(prefix, StringComparison.Ordinal)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Named), "global.")]
    public void Rows_OfOneDraw_AreTheReferencesBits(string name)
    {
        var (rows, shape) = RowsAndShape(Tensors.Shape(name));
        var dtype = Dtypes.Find(name.Split('.')[2])!.Value;

        TensorAssert.SameBytes(Draw(new NoiseAddress(NoiseLayout.Upstream, Seed(name), dtype, NoiseStream.Initial, shape, rows)), Tensors.Bytes(name), name);
    }

    [Theory]
    [MemberData(nameof(Named), "generator.")]
    public void Rows_OfConsecutiveBatchesOfOneGenerator_AreTheReferencesBits(string name)
    {
        var batch0 = name.Replace("batch1", "batch0", StringComparison.Ordinal);
        var firstRows = Tensors.Shape(batch0)[0];
        var (rows, shape) = RowsAndShape(Tensors.Shape(name));
        var start = name == batch0 ? 0 : firstRows;

        using var noise = new NoiseAddress(NoiseLayout.Upstream, Seed(name), Dtype.Float32, NoiseStream.Initial, shape).Open();
        var bytes = new byte[rows * noise.RowBytes];
        noise.Rows(start, (int)rows, bytes);

        TensorAssert.SameBytes(bytes, Tensors.Bytes(name), name);
    }

    [Theory]
    [MemberData(nameof(Named), "randint.")]
    public void Generator_ForIntegers_GivesTheReferencesValues(string name)
    {
        using var generator = new Generator(unchecked((ulong)Seed(name)), CPU);
        var high = int.Parse(name.Split("high")[1], CultureInfo.InvariantCulture);
        using var drawn = randint((long)high, Tensors.Shape(name), ScalarType.Int64, CPU, generator: generator);

        Assert.Equal(Tensors.Values<long>(name).ToArray(), drawn.data<long>().ToArray());
    }

    [Fact]
    public void Rows_OfTheSamplingRun_AreItsNoiseFile()
    {
        var expected = ReferenceTensors.Load("e2e/adm/sample_T25/tensors.safetensors");
        var (rows, shape) = RowsAndShape(expected.Shape("noise"));

        var address = new NoiseAddress(NoiseLayout.Upstream, 420, Dtype.Float32, NoiseStream.Initial, shape, rows);

        TensorAssert.SameBytes(Draw(address), expected.Bytes("noise"), "e2e/adm/sample_T25 noise");
    }

    static byte[] Draw(NoiseAddress address)
    {
        using var noise = address.Open();
        var bytes = new byte[address.TotalRows!.Value * noise.RowBytes];
        noise.Rows(0, (int)address.TotalRows.Value, bytes);
        return bytes;
    }

    static (long Rows, StateShape Shape) RowsAndShape(long[] sizes) => sizes switch
    {
        [var n, var c, var h, var w] => (n, new StateShape((int)c, (int)h, (int)w)),
        [var n, var c] => (n, new StateShape((int)c, 1, 1)),
        _ => throw new InvalidOperationException($"A noise fixture of {sizes.Length} dimensions is not known."),
    };

    static long Seed(string name) => long.Parse(name.Split('.')[1].AsSpan("seed".Length), CultureInfo.InvariantCulture);
}

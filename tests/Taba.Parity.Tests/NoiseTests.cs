using System.Globalization;
using Taba.Diffusion.Randomness;
using Taba.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace Taba.Parity.Tests;

/// <summary>The numbers Python users already have, bit for bit.</summary>
public sealed class NoiseTests
{
    const string File = "rng/rng.safetensors";

    static readonly Lazy<ReferenceTensors?> s_tensors = new(() => ReferenceTensors.Find(File));

    /// <summary>Runs that drew their noise themselves and stored it.</summary>
    public static TheoryData<string> Runs => [.. E2eCase.Discover(scripts: true).Where(DrewItsNoise)];

    static ReferenceTensors Tensors => s_tensors.Value ?? throw new FileNotFoundException(File);

    public static TheoryData<string> Named(string prefix) =>
        [.. (s_tensors.Value?.Names ?? []).Where(name => name.StartsWith(prefix, StringComparison.Ordinal)).Order(StringComparer.Ordinal)];

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Named), "global.")]
    public void Rows_OfOneDraw_AreTheReferencesBits(string name)
    {
        var (rows, shape) = RowsAndShape(Tensors.Shape(name));
        var dtype = Dtypes.Find(name.Split('.')[2])!.Value;

        TensorAssert.SameBytes(
            Draw(new NoiseAddress(NoiseLayout.Upstream, Seed(name), dtype, NoiseStream.Initial, shape, rows)), Tensors.Bytes(name), name);
    }

    [Theory(SkipTestWithoutData = true)]
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

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Named), "randint.")]
    public void Generator_ForIntegers_GivesTheReferencesValues(string name)
    {
        using var generator = new Generator(unchecked((ulong)Seed(name)), CPU);
        var high = int.Parse(name.Split("high")[1], CultureInfo.InvariantCulture);
        using var drawn = randint((long)high, Tensors.Shape(name), ScalarType.Int64, CPU, generator: generator);

        Assert.Equal(Tensors.Values<long>(name).ToArray(), drawn.data<long>().ToArray());
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Runs))]
    public void Rows_OfASamplingRun_AreItsNoiseFile(string name)
    {
        var run = E2eCase.Read(name);
        var expected = run.Tensors;
        var (rows, shape) = RowsAndShape(expected.Shape("noise"));
        var seed = long.Parse(run.Flags.Single(flag => flag.Key == "seed").Value, CultureInfo.InvariantCulture);

        var address = new NoiseAddress(NoiseLayout.Upstream, seed, Dtype.Float32, NoiseStream.Initial, shape, rows);

        TensorAssert.SameBytes(Draw(address), expected.Bytes("noise"), $"{name} noise");
    }

    static bool DrewItsNoise(string name)
    {
        var run = E2eCase.Read(name);
        return run.Tensors.Has("noise") && run.Flags.Any(flag => flag.Key == "seed") && run.Flags.All(
            flag => flag.Key is not ("input_noise_path" or "input_path"));
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

using System.Globalization;
using Taba.Diffusion.Randomness;
using Taba.Testing;

namespace Taba.Diffusion.Tests.Randomness;

public sealed class PythonRandomTests
{
    /// <summary>The first three values after each seed, in units of 2^-53, as CPython gives them.</summary>
    public static TheoryData<long, long[]> Vectors => new()
    {
        { 0, [7605875871743422, 6827046333291546, 3788172029424828] },
        { 1, [1210245519433057, 7633004523783416, 6879470178836243] },
        { 10, [5146737025048058, 3863089173636261, 5206983536750652] },
        { -10, [5146737025048058, 3863089173636261, 5206983536750652] },
        { 1L << 31, [3051601736654522, 4549193985409393, 8008715853803005] },
        { 1L << 32, [1017762183364142, 3763467840202643, 150207355903644] },
        { (1L << 40) + 7, [5527752211776145, 7340113465995610, 8511906957418313] },
        { long.MinValue, [4985160513837167, 8472301961370553, 2179691068815769] },
        { long.MaxValue, [2852083545951827, 5685878370852509, 7237773223704647] },
    };

    [Theory]
    [MemberData(nameof(Vectors))]
    public void Random_OfASeed_IsPythons(long seed, long[] expected)
    {
        var random = new PythonRandom(seed);
        Assert.Equal(expected, expected.Select(_ => (long)(random.Random() * (1L << 53))));
    }

    [Fact]
    public void Random_AfterManyDraws_IsPythons()
    {
        var random = new PythonRandom(10);
        for (var i = 0; i < 1999; i++)
            random.Random();

        Assert.Equal(0.5758941208510606, random.Random());
    }

    [Fact]
    [Trait(Needs.Trait, Needs.Process)]
    public void Random_OfAnySeed_IsThatOfThePythonHere()
    {
        Assert.SkipWhen(PythonTorch.MissingPython is not null, PythonTorch.MissingPython ?? "");
        long[] seeds = [0, 1, -1, 420, 624, int.MaxValue, uint.MaxValue, 1L << 32, long.MaxValue, long.MinValue];
        var output = PythonTorch.Run(
            """
            import random, sys
            for seed in map(int, sys.argv[1:]):
                random.seed(seed)
                print(' '.join(str(int(random.random() * 2**53)) for _ in range(700)))
                print(' '.join(map(str, random.choices(range(1000), k=50))))
            """,
            [.. seeds.Select(seed => seed.ToString(CultureInfo.InvariantCulture))]);

        var expected = seeds.SelectMany(seed =>
        {
            var random = new PythonRandom(seed);
            var values = string.Join(' ', Enumerable.Range(0, 700).Select(_ => (long)(random.Random() * (1L << 53))));
            return new[] { values, string.Join(' ', Enumerable.Range(0, 50).Select(_ => random.Choice(1000))) };
        });
        Assert.Equal(expected, output.TrimEnd().Split('\n'));
    }
}

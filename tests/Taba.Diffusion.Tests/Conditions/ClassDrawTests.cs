using System.Runtime.InteropServices;
using Taba.Diffusion.Conditions;
using Taba.Diffusion.Tensors;
using Taba.Testing;

namespace Taba.Diffusion.Tests.Conditions;

public sealed class ClassDrawTests
{
    const string Prefix = "dit_conds.cond_seed";

    static readonly long[] s_firstOfSeed10 = [571, 428, 578, 206, 813, 823, 653, 160];

    static ClassLabels ImageNet => ClassLabels.Read(Fixtures.At("models/dit_tiny/model_index.json"))!;

    /// <summary>Labels that share names as ImageNet's do: 134 and 517, 358 and 361, 638 and 639, 657 and 744.</summary>
    static ClassLabels SharedNames
    {
        get
        {
            var labels = Enumerable.Range(0, 1000).ToDictionary(id => id, id => $"class {id}, other name of {id}");
            (labels[134], labels[517]) = ("crane", "crane");
            (labels[358], labels[361]) = ("polecat, fitch, Mustela putorius", "skunk, polecat, wood pussy");
            (labels[638], labels[639]) = ("maillot", "maillot, tank suit");
            (labels[657], labels[744]) = ("missile", "projectile, missile");
            return ClassLabels.FromId2Label(labels, "test");
        }
    }

    public static TheoryData<string> Draws
    {
        get
        {
            using var file = TensorFile.Open(Fixtures.At("rng/rng.safetensors"));
            return [.. file.Names.Where(name => name.StartsWith(Prefix, StringComparison.Ordinal))];
        }
    }

    [Theory]
    [MemberData(nameof(Draws))]
    public void Ids_OfTheReference_AreTheSame(string name)
    {
        var seed = long.Parse(name[Prefix.Length..name.LastIndexOf('.')]);
        var expected = MemoryMarshal.Cast<byte, long>(FixtureTensors.Bytes(Fixtures.At("rng/rng.safetensors"), name)).ToArray();

        Assert.Equal(expected, ClassDraw.Ids(seed, expected.Length, ImageNet));
    }

    [Fact]
    public void Ids_OfSeed10_AreThoseOfTheFacts()
    {
        Assert.Equal(s_firstOfSeed10, ClassDraw.Ids(10, 8, ImageNet));
        Assert.Equal(s_firstOfSeed10, ClassDraw.Ids(10, 8, ClassLabels.Unnamed(1000)));
    }

    [Fact]
    public void Ids_WhereClassesShareANameOrSynonym_AreTheHigherOnes()
    {
        var drawn = ClassDraw.Ids(3, 100_000, SharedNames);
        var indices = ClassDraw.Ids(3, 100_000, ClassLabels.Unnamed(1000));

        var moved = indices.Zip(drawn).Where(pair => pair.First != pair.Second).Distinct().Order();
        Assert.Equal([(134, 517), (358, 361), (638, 639), (657, 744)], moved);
        Assert.Equal(996, drawn.Distinct().Count());
    }

    [Fact]
    public void Ids_OfAShorterDraw_AreTheBeginningOfALongerOne()
    {
        var all = ClassDraw.Ids(420, 1280, ImageNet);

        Assert.Empty(ClassDraw.Ids(420, 0, ImageNet));
        foreach (var count in new[] { 1, 31, 1279 })
            Assert.Equal(all[..count], ClassDraw.Ids(420, count, ImageNet));
    }
}

using Taba.Fuzz;

namespace Taba.Client.Tests;

/// <summary>A share of what tests/Taba.Fuzz does, with fixed seeds: whatever is read is read, or is bad input, and ends soon.</summary>
public sealed class FuzzTests
{
    const int Seed = 7;
    const int Inputs = 150;

    // One for all: the tests of a class run one after the other.
    static readonly Lazy<Corpus> s_corpus = new(() => new());
    static readonly Lazy<IReadOnlyList<FuzzFamily>> s_families = new(() => FuzzFamilies.All(s_corpus.Value));

    public static TheoryData<string> Families => [.. s_families.Value.Select(f => f.Name)];

    [Theory]
    [MemberData(nameof(Families))]
    public void Read_DamagedInputs_AreReadOrRefused(string name)
    {
        var tally = new FuzzRun(s_families.Value.Single(f => f.Name == name), Seed, s_corpus.Value.Folder).Many(Inputs);
        Assert.Empty(tally.Unexpected);
        // Damage that is all refused at the first byte tries nothing.
        Assert.NotEqual(0, tally.Read);
        Assert.NotEqual(0, tally.Refused);
    }

    [Fact]
    public void Many_ReaderThatThrowsAnythingElse_IsFound()
    {
        var broken = new FuzzFamily("x", ["{}"u8.ToArray()], IsText: true, (_, _) => throw new InvalidOperationException("x"));
        var tally = new FuzzRun(broken, Seed, s_corpus.Value.Folder).Many(3);
        Assert.Equal(3, tally.Unexpected.Count);
    }

    [Fact]
    public void Seeds_AsTheyAre_AreRead()
    {
        foreach (var family in s_families.Value)
        {
            for (var i = 0; i < family.Seeds.Count; i++)
                family.Read(family.Seeds[i], i);
        }
    }
}

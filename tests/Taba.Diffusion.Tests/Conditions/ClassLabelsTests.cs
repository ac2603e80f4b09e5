using Taba.Diffusion.Conditions;
using Taba.Testing;

namespace Taba.Diffusion.Tests.Conditions;

public sealed class ClassLabelsTests : IDisposable
{
    static readonly ClassLabels s_labels = ClassLabels.FromId2Label(
        new Dictionary<int, string>
        {
            [0] = "tench, Tinca tinca",
            [1] = "Cardigan, Cardigan Welsh corgi",
            [2] = "cardigan",
            [3] = "crane",
            [4] = "crane",
            [5] = "gas pump,  petrol pump , ",
        },
        "test");

    readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("tench", 0)]
    [InlineData("Tinca tinca", 0)]
    [InlineData("TINCA TINCA", 0)]
    [InlineData("Cardigan", 1)]
    [InlineData("cardigan", 2)]
    [InlineData("crane", 4)]
    [InlineData(" petrol pump ", 5)]
    [InlineData("3", 3)]
    [InlineData("0", 0)]
    public void Find_ByNameOrId_GivesTheClass(string text, int id) => Assert.Equal(id, s_labels.Find(text));

    [Theory]
    [InlineData("CARDIGAN", "1 (Cardigan) or 2 (cardigan)")]
    [InlineData("tensh", "'tench' (0)")]
    [InlineData("gaspump", "'gas pump' (5)")]
    [InlineData("6", "ids are 0 to 5")]
    [InlineData("-1", "ids are 0 to 5")]
    [InlineData("99999999999999999999", "ids are 0 to 5")]
    [InlineData("", "ids are 0 to 5")]
    [InlineData("quite another thing", "ids are 0 to 5")]
    public void Find_OfNoClass_SaysWhatIsNear(string text, string expected)
    {
        var error = Assert.Throws<InvalidDataException>(() => s_labels.Find(text));
        Assert.Contains(expected, error.Message);
    }

    [Fact]
    public void Find_OfAHugeWord_AnswersShortly()
    {
        var error = Assert.Throws<InvalidDataException>(() => s_labels.Find(new string('x', 1 << 22)));
        Assert.InRange(error.Message.Length, 1, 300);
    }

    [Fact]
    public void Find_WithoutNames_TakesIdsOnly()
    {
        var labels = ClassLabels.Unnamed(10);

        Assert.False(labels.HasNames);
        Assert.Equal(9, labels.Find("9"));
        Assert.Equal("9", labels.NameOf(9));
        Assert.Contains("no names", Assert.Throws<InvalidDataException>(() => labels.Find("tench")).Message);
    }

    [Fact]
    public void Read_ModelIndex_NamesAThousandClasses()
    {
        var labels = ClassLabels.Read(Fixtures.At("models/dit_tiny/model_index.json"))!;

        Assert.Equal((1000, true), (labels.Count, labels.HasNames));
        Assert.Equal("gas pump", labels.NameOf(571));
        Assert.Equal(639, labels.Find("maillot"));
    }

    [Fact]
    public void Read_IndexWithoutLabels_GivesNone() =>
        Assert.Null(ClassLabels.Read(_folder.Write("model_index.json", """{"unet":["a","b"]}"""u8)));

    [Theory]
    [InlineData("""{"id2label":[]}""", "an object")]
    [InlineData("""{"id2label":{}}""", "0 classes")]
    [InlineData("""{"id2label":{"0":"a","2":"b"}}""", "none with id 1")]
    [InlineData("""{"id2label":{"0":"a","x":"b"}}""", "'x'")]
    [InlineData("""{"id2label":{"0":"a","-1":"b"}}""", "'-1'")]
    [InlineData("""{"id2label":{"0":"a","1":5}}""", "class 1")]
    [InlineData("""{"id2label":{"0":" , "}}""", "class 0")]
    [InlineData("""{"id2label":{"0":"\ud800"}}""", "the text at $.id2label.0")]
    [InlineData("""{"id2label":{"0":"a","00":"b"}}""", "twice")]
    [InlineData("""{"id2label":{"0":"a","0":"b"}}""", "JSON")]
    [InlineData("""{"id2label":""", "JSON")]
    public void Read_BadLabels_AreRefused(string json, string expected)
    {
        var error = Assert.Throws<InvalidDataException>(
            () => ClassLabels.Read(_folder.Write("model_index.json", System.Text.Encoding.UTF8.GetBytes(json))));
        Assert.Contains(expected, error.Message);
    }
}

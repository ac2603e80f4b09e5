using System.Text;
using Taba.Diffusion.Conditions;
using Taba.Testing;

namespace Taba.Diffusion.Tests.Conditions;

public sealed class PromptFileTests : IDisposable
{
    static readonly string[] s_varied =
    [
        "", "a café", "hobbit standing next to its house", "two\nlines\r\tand \\ \\u0041 a backslash", "bicycle 🚲", "\u0000\u001a",
        new string('é', 300),
        "a café", new string('x', 255), new string('x', 256), "日本",
    ];

    readonly TempFolder _folder = new();

    public static TheoryData<string> Pickles => [.. Fixtures.Cases("e2e", "prompts.pkl")];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Pickles))]
    public void Read_PickleOfTheReference_GivesItsPrompts(string folder)
    {
        var prompt = folder.Contains("hobbit", StringComparison.Ordinal) ? PromptSource.HobbitPrompt : "";

        Assert.Equal([prompt, prompt, prompt, prompt], PromptFile.Read(Fixtures.At(folder + "/prompts.pkl")));
    }

    [Fact]
    [Trait(Needs.Trait, Needs.Process)]
    public void Read_PickleOfEveryProtocol_GivesThePrompts()
    {
        Assert.SkipWhen(PythonTorch.MissingPython is not null, PythonTorch.MissingPython ?? "");
        PythonTorch.Run(
            """
            import sys, json, pickle
            prompts = json.load(open(sys.argv[1], encoding="utf-8"))
            for protocol in range(6):
                pickle.dump(prompts, open(f"{sys.argv[2]}/p{protocol}.pkl", "wb"), protocol)
                pickle.dump(["many %d" % i for i in range(3000)], open(f"{sys.argv[2]}/many{protocol}.pkl", "wb"), protocol)
            pickle.dump(["a" * 65536, "b" * 65000] * 3, open(f"{sys.argv[2]}/long.pkl", "wb"))
            """,
            Json(s_varied),
            _folder.Path);

        for (var protocol = 0; protocol <= 5; protocol++)
        {
            Assert.Equal(s_varied, PromptFile.Read(_folder.At($"p{protocol}.pkl")));
            Assert.Equal(Enumerable.Range(0, 3000).Select(i => $"many {i}"), PromptFile.Read(_folder.At($"many{protocol}.pkl")));
        }

        Assert.Equal([65536, 65000, 65536, 65000, 65536, 65000], PromptFile.Read(_folder.At("long.pkl")).Select(prompt => prompt.Length));
    }

    [Fact]
    [Trait(Needs.Trait, Needs.Process)]
    public void WritePickle_AnyPrompts_AreAListOfStrInPython()
    {
        Assert.SkipWhen(PythonTorch.MissingPython is not null, PythonTorch.MissingPython ?? "");
        string[] prompts =
            [.. s_varied, .. Enumerable.Range(0, 600).Select(i => $"prompt {i}"), .. Enumerable.Range(0, 600).Select(i => $"prompt {i}")];
        var json = Json(prompts);
        using (var file = File.Create(_folder.At("ours.pkl")))
            PromptFile.WritePickle(file, prompts);

        var output = PythonTorch.Run(
            """
            import sys, json, pickle
            prompts = pickle.load(open(sys.argv[1], "rb"))
            print(type(prompts) is list, all(type(p) is str for p in prompts), prompts == json.load(open(sys.argv[2], encoding="utf-8")), len(prompts))
            """,
            _folder.At("ours.pkl"),
            json);

        Assert.Equal($"True True True {prompts.Length}", output.TrimEnd());
        Assert.Equal(prompts, PromptFile.Read(_folder.At("ours.pkl")));
    }

    [Fact]
    public void WriteJson_AnyPrompts_ReadBack() => Assert.Equal(s_varied, PromptFile.Read(Json(s_varied)));

    [Fact]
    public void WritePickle_HalfOfAPair_IsRefused() =>
        Assert.Throws<ArgumentException>(() => PromptFile.WritePickle(Stream.Null, ["\ud83d"]));

    [Theory]
    [InlineData("""["a","b"]""")]
    [InlineData("""{"prompts":["a","b"]}""")]
    [InlineData("\ufeff[\"a\",\n \"b\"]")]
    public void Read_Json_GivesThePrompts(string json) => Assert.Equal(["a", "b"], PromptFile.Read(Write("p.json", json)));

    [Theory]
    [InlineData("[]", "no prompts")]
    [InlineData("""{"prompts":[]}""", "no prompts")]
    [InlineData("""{"texts":["a"]}""", "'texts'")]
    [InlineData("""{"prompts":["a"],"seed":1}""", "'seed'")]
    [InlineData("""["a",1]""", "item 1 is Number")]
    [InlineData("""["a",null]""", "item 1 is Null")]
    [InlineData("""["\ud800"]""", "the text at $[0]")]
    [InlineData("\"a\"", "String")]
    [InlineData("[", "JSON")]
    [InlineData("[[[[[[\"a\"]]]]]]", "item 0 is Array")]
    public void Read_BadJson_IsRefused(string json, string expected) => Refused(Write("p.json", json), expected);

    [Fact]
    public void Read_Text_SkipsBlankLinesAndKeepsTheRest() =>
        Assert.Equal(["a café", "  b\u00a0 ", "last"], PromptFile.Read(Write("p.txt", "\ufeffa café\r\n\n   \t\r\n  b\u00a0 \nlast")));

    [Fact]
    public void Read_TextThatIsNoUtf8_NamesTheLine() => Refused(_folder.Write("p.txt", [.. "a\nb\n"u8, 0xe9, 0x0a]), "line 3");

    [Theory]
    [InlineData("\n \r\n\t", "no prompts")]
    [InlineData("", "empty")]
    public void Read_TextWithoutPrompts_IsRefused(string text, string expected) => Refused(Write("p.txt", text), expected);

    [Fact]
    public void Read_PromptOfManyCharacters_IsRefused() =>
        Refused(Write("p.txt", new string('x', PromptFile.MaxPromptLength + 1)), "65537 characters");

    [Fact]
    public void Read_Folder_IsRefused() => Refused(_folder.Path, "is a folder");

    [Fact]
    public void Read_AbsentFile_IsNotFound() => Assert.Throws<FileNotFoundException>(() => PromptFile.Read(_folder.At("none.txt")));

    [Fact]
    public void Read_HugeFile_IsRefusedUnread()
    {
        using (var file = File.Create(_folder.At("huge.pkl")))
            file.SetLength((long)PromptFile.MaxBytes + 1);

        Refused(_folder.At("huge.pkl"), "at most");
    }

    string Json(IEnumerable<string> prompts)
    {
        using var file = File.Create(_folder.At("prompts.json"));
        PromptFile.WriteJson(file, prompts);
        return _folder.At("prompts.json");
    }

    string Write(string name, string text) => _folder.Write(name, Encoding.UTF8.GetBytes(text));

    static void Refused(string path, string expected)
    {
        var error = Assert.Throws<InvalidDataException>(() => PromptFile.Read(path));
        Assert.Contains(expected, error.Message);
        Assert.Contains(path, error.Message);
    }
}

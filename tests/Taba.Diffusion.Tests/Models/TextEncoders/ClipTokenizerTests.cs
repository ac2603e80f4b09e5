using System.Text.Json;
using Taba.Diffusion.Models.TextEncoders;
using Taba.Testing;

namespace Taba.Diffusion.Tests.Models.TextEncoders;

/// <summary>
/// A vocabulary laid out as CLIP's: 256 bytes, the same at the end of a word, one piece a pair, start and end. Ids of bytes are those of
/// CLIP's own files; with the public vocabulary the same code gave the ids of "a photo of a cat" that are published (320, 1125, 539, 320,
/// 2368), and of longer texts in ten scripts those of a plain loop in Python.
/// </summary>
public sealed class ClipTokenizerTests : IDisposable
{
    const int Start = 519;
    const int End = 520;

    static readonly string[] s_pairs = ["p h", "ph o", "t o</w>", "pho to</w>", "c a", "ca t</w>", "' s</w>"];

    readonly string _folder = Directory.CreateTempSubdirectory("taba-test-clip-").FullName;

    public ClipTokenizerTests()
    {
        var pieces = FeatureCheckpoints.ClipBytes().ToList();
        pieces.AddRange(FeatureCheckpoints.ClipBytes().Select(piece => piece + "</w>"));
        pieces.AddRange(s_pairs.Select(pair => pair.Replace(" ", "", StringComparison.Ordinal)));
        pieces.AddRange(["<|startoftext|>", "<|endoftext|>"]);
        Write(pieces.Select((piece, id) => (piece, id)).ToDictionary(p => p.piece, p => p.id));
        File.WriteAllLines(Path.Combine(_folder, "merges.txt"), ["#version: 0.2", .. s_pairs]);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("a photo of a cat", 320, 515, 78, 325, 320, 517)]
    [InlineData("  A\tPHOTO of\n a Cat's  ", 320, 515, 78, 325, 320, 517, 518)]
    [InlineData("a Cat\u2019s", 320, 517, 518)]
    [InlineData("\uFF23\uFF21\uFF34\u3000\uFF0C", 517, 267)]
    [InlineData("cat\uFB01", 516, 83, 69, 328)]
    [InlineData("\u00E9", 127, 358)]
    [InlineData("\u00C9", 127, 358)]
    [InlineData("\u65E5", 162, 245, 354)]
    [InlineData("12", 272, 273)]
    [InlineData("cat,!cat", 517, 11, 256, 517)]
    [InlineData("cat&amp;amp;cat", 517, 261, 517)]
    [InlineData("")]
    [InlineData(" \r\n ")]
    public void Encode_IsOpenAis(string caption, params int[] expected)
    {
        var ids = ClipTokenizer.Load(_folder).Encode(caption);

        Assert.Equal(77, ids.Length);
        Assert.Equal([Start, .. expected.Select(id => (long)id), End], ids.Take(expected.Length + 2));
        Assert.All(ids.Skip(expected.Length + 2), id => Assert.Equal(End, id));
    }

    [Fact]
    public void Encode_ALongCaption_IsCutAndKeepsItsEnd()
    {
        var ids = ClipTokenizer.Load(_folder).Encode(string.Join(' ', Enumerable.Repeat("cat", 100)));

        Assert.Equal([Start, .. Enumerable.Repeat(517L, 75), End], ids);
    }

    [Fact]
    public void Load_WithoutAFile_NamesIt()
    {
        File.Delete(Path.Combine(_folder, "merges.txt"));
        AssertRefused("merges.txt");
        File.Delete(Path.Combine(_folder, "vocab.json"));
        AssertRefused("vocab.json");
    }

    [Fact]
    public void Load_OfAnotherVocabulary_IsRefused()
    {
        Write(new() { ["a"] = 0, ["<|startoftext|>"] = 1, ["<|endoftext|>"] = 2, ["b"] = 3 });
        AssertRefused("largest id");
        File.WriteAllText(Path.Combine(_folder, "vocab.json"), "{\"a\": \"b\"}");
        AssertRefused("'a'");
    }

    [Fact]
    public void Load_OfPairsThatTheVocabularyLacks_IsRefused()
    {
        File.AppendAllText(Path.Combine(_folder, "merges.txt"), "z z\n");
        AssertRefused("no tokenizer");
    }

    void AssertRefused(string expected) => Assert.Contains(
        expected, Assert.Throws<InvalidDataException>(() => ClipTokenizer.Load(_folder)).Message, StringComparison.Ordinal);

    void Write(Dictionary<string, int> pieces) => File.WriteAllText(Path.Combine(_folder, "vocab.json"), JsonSerializer.Serialize(pieces));
}

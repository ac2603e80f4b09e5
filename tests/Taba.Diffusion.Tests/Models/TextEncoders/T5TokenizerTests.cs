using Taba.Diffusion.Models.TextEncoders;
using Taba.Testing;

namespace Taba.Diffusion.Tests.Models.TextEncoders;

public sealed class T5TokenizerTests
{
    const int End = 1;
    const int Unknown = 2;

    static readonly string s_folder = Fixtures.At("models/if_tiny/tokenizer");
    static readonly T5Tokenizer s_tokenizer = T5Tokenizer.Load(s_folder);

    static byte[] Model => File.ReadAllBytes(Path.Combine(s_folder, T5Tokenizer.ModelFile));

    static long[] Tokens(string prompt)
    {
        var (ids, mask) = s_tokenizer.Encode(prompt, 200);
        return ids[..(int)mask.Sum()];
    }

    [Fact]
    public void Encode_EmptyPrompt_OnlyTheEndToken()
    {
        var (ids, mask) = s_tokenizer.Encode("");

        Assert.Equal([End, .. new long[76]], ids);
        Assert.Equal([1, .. new long[76]], mask);
    }

    [Fact]
    public void Encode_LongPrompt_CutWithItsEndToken()
    {
        var prompt = string.Join(' ', Enumerable.Repeat("cat dog", 100));
        var whole = Tokens(prompt)[..76];

        var (ids, mask) = s_tokenizer.Encode(prompt);

        Assert.Equal([.. whole, End], ids);
        Assert.Equal(Enumerable.Repeat(1L, 77), mask);
    }

    [Fact]
    public void Encode_PromptThatJustFits_NothingIsCut()
    {
        var prompt = string.Join(' ', Enumerable.Repeat("a", 76));

        var (ids, mask) = s_tokenizer.Encode(prompt);

        Assert.Equal([.. Enumerable.Repeat(3L, 76), End], ids);
        Assert.Equal(77, mask.Sum());
        Assert.Equal(ids, s_tokenizer.Encode(prompt + " a").Ids);
    }

    [Fact]
    public void Encode_LengthOne_TheEndTokenAlone() => Assert.Equal([End], s_tokenizer.Encode("a cat", 1).Ids);

    [Fact]
    public void Encode_LengthZero_Refuses() => Assert.Throws<ArgumentOutOfRangeException>(() => s_tokenizer.Encode("a", 0));

    [Theory]
    [InlineData("  A PHOTO of a Cat ", "a photo of a cat")]
    [InlineData("two  red \n apples", "two red apples")]
    public void Encode_CaseAndWhiteSpace_SameTokens(string prompt, string plain) => Assert.Equal(Tokens(plain), Tokens(prompt));

    /// <summary>
    /// Expected ids: SentencePiece 0.1.97 on the same model. 2 is the unknown piece, one for a run of unknown characters.
    /// </summary>
    [Theory]
    [InlineData("日本語 cat", new long[] { 9, 2, 20 })]
    [InlineData("cat 🐱🐱 dog", new long[] { 20, 9, 2, 48 })]
    [InlineData("naïve café ﬁne ①", new long[] { 9, 69, 77, 2, 130, 146, 9, 135, 77, 132, 2, 9, 132, 76, 146, 9, 114 })]
    [InlineData("½ cup", new long[] { 9, 114, 2, 118, 23 })]
    [InlineData("ﷺ", new long[] { 9, 2, 9, 2, 9, 2, 9, 2 })]
    [InlineData("\u3000x", new long[] { 9, 131 })]
    [InlineData("e\u0301", new long[] { 9, 2 })]
    [InlineData("a\u0007b", new long[] { 3, 137 })]
    [InlineData("\uFEFFa", new long[] { 3 })]
    public void Encode_Unicode_AsSentencePiece(string prompt, long[] expected) => Assert.Equal([.. expected, End], Tokens(prompt));

    [Fact]
    public void EncodeText_CapitalLetters_AreKept() => Assert.Equal([74L, 109, 110, End, 0], s_tokenizer.EncodeText("ＡＢＣ", 5).Ids);

    /// <summary>transformers cuts special tokens out of the text before SentencePiece sees it; the pieces after one begin a word.</summary>
    [Theory]
    [InlineData("<pad> a </s> a", new long[] { 0, 3, 1, 3, 1 })]
    [InlineData("<unk>", new long[] { 2, 1 })]
    [InlineData("日<unk>本", new long[] { 9, 2, 2, 9, 2, 1 })]
    [InlineData("a</s>", new long[] { 3, 1 })]
    [InlineData("</S>", new long[] { 1 })]
    [InlineData("<extra_id_0>a<extra_id_99>", new long[] { 250, 3, 151, 1 })]
    public void Encode_SpecialTokensInThePrompt_StandForThemselves(string prompt, long[] expected) =>
        Assert.Equal(expected, Tokens(prompt));

    [Theory]
    [InlineData("<extra_id_100>")]
    [InlineData("<extra_id_05>")]
    [InlineData("< /s>")]
    public void Encode_AlmostASpecialToken_IsText(string prompt) => Assert.True(Tokens(prompt).Length > 3);

    [Fact]
    public void VocabularySize_TinyModel_PiecesAndSentinels() => Assert.Equal(151 + 100, s_tokenizer.VocabularySize);

    [Fact]
    public void Load_NoFile_NamesIt()
    {
        using var empty = new TempFolder();

        var error = Assert.Throws<InvalidDataException>(() => T5Tokenizer.Load(empty.Path));

        Assert.Contains(empty.At("spiece.model"), error.Message, StringComparison.Ordinal);
    }

    public static TheoryData<string, byte[]> Hostile => new()
    {
        { "empty", [] },
        { "text", "version https://git-lfs.github.com/spec/v1\n"u8.ToArray() },
        { "one byte", [0x0A] },
        { "cut", Model[..(Model.Length / 2)] },
        { "a length beyond the file", [0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0x07, 1, 2, 3] },
        { "an endless varint", [.. Enumerable.Repeat((byte)0xFF, 4096)] },
        { "nested groups", [.. Enumerable.Repeat((byte)0x0B, 100_000)] },
        { "other first pieces", Replaced("<pad>"u8, "<bad>"u8) },
        { "no end token", Replaced("</s>"u8, "</t>"u8) },
    };

    [Theory]
    [MemberData(nameof(Hostile))]
    public void Load_HostileModel_InvalidData(string what, byte[] bytes)
    {
        using var damaged = new TempFolder();
        var path = damaged.Write(T5Tokenizer.ModelFile, bytes);

        var error = Assert.Throws<InvalidDataException>(() => T5Tokenizer.Load(damaged.Path));

        Assert.True(error.Message.Contains(path, StringComparison.Ordinal), what);
    }

    [Fact]
    public void Load_HugeFile_RefusedUnread()
    {
        using var huge = new TempFolder();
        using (var file = File.Create(huge.At(T5Tokenizer.ModelFile)))
            file.SetLength(1L << 33);

        Assert.Throws<InvalidDataException>(() => T5Tokenizer.Load(huge.Path));
    }

    [Fact]
    public void Load_BytesChangedAtRandom_InvalidDataOrUsable()
    {
        using var damaged = new TempFolder();
        var random = new Random(11);
        var original = Model;
        var refused = 0;
        for (var round = 0; round < 60; round++)
        {
            var bytes = original.ToArray();
            for (var i = 0; i < 20; i++)
                bytes[random.Next(round % 2 == 0 ? 4000 : bytes.Length)] = (byte)random.Next(256);
            damaged.Write(T5Tokenizer.ModelFile, bytes);
            try
            {
                var (ids, _) = T5Tokenizer.Load(damaged.Path).Encode("An astronaut riding a ½ horse 🐱, on Mars; 4k!");
                Assert.Contains(End, ids);
            }
            catch (InvalidDataException)
            {
                refused++;
            }
        }

        Assert.InRange(refused, 1, 60);
    }

    static byte[] Replaced(ReadOnlySpan<byte> old, ReadOnlySpan<byte> with)
    {
        var bytes = Model;
        with.CopyTo(bytes.AsSpan(bytes.AsSpan().IndexOf(old)));
        return bytes;
    }
}

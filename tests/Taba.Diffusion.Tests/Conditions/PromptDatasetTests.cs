using ParquetSharp;
using Taba.Diffusion.Conditions;
using Taba.Testing;

namespace Taba.Diffusion.Tests.Conditions;

/// <summary>
/// The files in Data/recap_tiny were written by another parquet library (arrow-rs): 103 rows in two files, four row
/// groups, Snappy and Zstandard, beside an image column as the real dataset has.
/// </summary>
public sealed class PromptDatasetTests : IDisposable
{
    /// <summary>pandas.Series(...).sample(103, random_state=420).index, its beginning and its end.</summary>
    static readonly int[] s_firstOfSeed420 = [97, 33, 41, 39, 45, 7, 17, 58, 12, 19, 90, 79];
    static readonly int[] s_lastOfSeed420 = [57, 46, 31, 63, 6, 72, 49];

    internal static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "Data", "recap_tiny");

    readonly TempFolder _folder = new();

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task SampleAsync_OfASeed_GivesWhatPandasGives()
    {
        var dataset = await PromptDataset.OpenAsync(Folder, cancellation: Cancellation);
        var of10 = await dataset.SampleAsync(10, 8, Cancellation);
        var of420 = await dataset.SampleAsync(420, 103, Cancellation);

        Assert.Equal((103, 2), (dataset.Count, dataset.Files.Count));
        Assert.Equal([45, 14, 63, 91, 39, 3, 19, 26], of10.Prompts.Select(RowOf));
        Assert.Equal(s_firstOfSeed420, of420.Prompts.Take(s_firstOfSeed420.Length).Select(RowOf));
        Assert.Equal(s_lastOfSeed420, of420.Prompts.TakeLast(s_lastOfSeed420.Length).Select(RowOf));
        Assert.Equal("Row 45: a large bicycle 🚲.", of10.Prompts[0]);
        Assert.Contains(of420.Prompts, prompt => prompt.EndsWith("bicycle 🚲.", StringComparison.Ordinal));
    }

    [Fact]
    public async Task SampleAsync_OfFewer_IsTheBeginning()
    {
        var dataset = await PromptDataset.OpenAsync(Folder, cancellation: Cancellation);
        var all = await dataset.SampleAsync(7, 103, Cancellation);

        foreach (var count in new[] { 0, 1, 50 })
        {
            var some = await dataset.SampleAsync(7, count, Cancellation);
            Assert.Equal(all.Prompts.Take(count), some.Prompts);
            Assert.Equal(all.ColumnDigest, some.ColumnDigest);
        }
    }

    [Fact]
    public async Task SampleAsync_OfMoreThanThereAre_NamesBothNumbers()
    {
        var dataset = await PromptDataset.OpenAsync(Folder, cancellation: Cancellation);

        var error = await Assert.ThrowsAsync<InvalidDataException>(() => dataset.SampleAsync(7, 104, Cancellation));
        Assert.Contains("104", error.Message);
        Assert.Contains("103", error.Message);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(1L << 32)]
    public async Task SampleAsync_SeedThatNumpyRefuses_IsRefused(long seed)
    {
        var dataset = await PromptDataset.OpenAsync(Folder, cancellation: Cancellation);
        Assert.Contains(
            $"{seed}", (await Assert.ThrowsAsync<InvalidDataException>(() => dataset.SampleAsync(seed, 1, Cancellation))).Message);
    }

    [Fact]
    public async Task ColumnDigest_OfTheSameTexts_DoesNotDependOnFiles()
    {
        var dataset = await PromptDataset.OpenAsync(Folder, cancellation: Cancellation);
        var sample = await dataset.SampleAsync(420, 103, Cancellation);
        var texts = sample.Prompts.OrderBy(RowOf).ToArray();
        var rewritten = Write("all.parquet", texts);
        texts[50] += " ";
        var changed = Write("changed.parquet", texts);

        Assert.Equal(sample.ColumnDigest, await DigestAsync(rewritten));
        Assert.NotEqual(sample.ColumnDigest, await DigestAsync(changed));
    }

    [Fact]
    public async Task OpenAsync_CacheOfTheHub_TakesTheRevisionOfMain()
    {
        // As the hub's cache has them: links to files whose names are digests.
        foreach (var revision in new[] { "aaa", "bbb" })
            Directory.CreateDirectory(_folder.At($"snapshots/{revision}/data"));
        foreach (var file in Directory.GetFiles(Path.Combine(Folder, "data")))
            File.CreateSymbolicLink(_folder.At($"snapshots/bbb/data/{Path.GetFileName(file)}"), file);

        var several = await Assert.ThrowsAsync<InvalidDataException>(
            () => PromptDataset.OpenAsync(_folder.Path, cancellation: Cancellation));
        Directory.CreateDirectory(_folder.At("refs"));
        File.WriteAllText(_folder.At("refs/main"), "bbb\n");
        var dataset = await PromptDataset.OpenAsync(_folder.Path, cancellation: Cancellation);
        File.WriteAllText(_folder.At("refs/main"), "../../etc");
        var outside = await Assert.ThrowsAsync<InvalidDataException>(
            () => PromptDataset.OpenAsync(_folder.Path, cancellation: Cancellation));

        Assert.Contains("2 revisions", several.Message);
        Assert.Equal(103, dataset.Count);
        Assert.Equal([45], (await dataset.SampleAsync(10, 1, Cancellation)).Prompts.Select(RowOf));
        Assert.Contains("names no revision", outside.Message);
    }

    [Theory]
    [InlineData("train-00000-of-00002.parquet", "1 of the 2")]
    [InlineData("train-00001-of-00002.parquet", "not file 0")]
    [InlineData("train-00000-of-00001.parquet,train-00000-of-00002.parquet", "not file 1")]
    [InlineData("train-00000-of-00001.parquet,train-x.parquet", "not file 1")]
    [InlineData("test-00000-of-00001.parquet", "no train-")]
    public async Task OpenAsync_IncompleteFolder_IsRefused(string names, string expected)
    {
        foreach (var name in names.Split(','))
            File.Copy(Path.Combine(Folder, "data", "train-00001-of-00002.parquet"), _folder.At(name));

        var error = await Assert.ThrowsAsync<InvalidDataException>(() => PromptDataset.OpenAsync(_folder.Path, cancellation: Cancellation));
        Assert.Contains(expected, error.Message);
    }

    [Fact]
    public async Task OpenAsync_WrongColumn_ListsThoseThereAre()
    {
        var none = await Assert.ThrowsAsync<InvalidDataException>(() => PromptDataset.OpenAsync(Folder, "prompt", Cancellation));
        var number = await Assert.ThrowsAsync<InvalidDataException>(() => PromptDataset.OpenAsync(Folder, "image_id", Cancellation));

        Assert.Contains("recaption", none.Message);
        Assert.Contains("does not hold texts", number.Message);
    }

    [Fact]
    public async Task SampleAsync_ColumnWithGaps_NamesTheRow()
    {
        var dataset = await PromptDataset.OpenAsync(Folder, "caption", Cancellation);

        var error = await Assert.ThrowsAsync<InvalidDataException>(() => dataset.SampleAsync(1, 1, Cancellation));
        Assert.Contains("row 1 of row group 0", error.Message);
    }

    [Fact]
    public async Task OpenAsync_NoRows_IsRefused() =>
        Assert.Contains(
            "0 prompts", (await Assert.ThrowsAsync<InvalidDataException>(
                async () => await PromptDataset.OpenAsync(Write("none.parquet", []), cancellation: Cancellation))).Message);

    [Fact]
    public async Task OpenAsync_AbsentPath_IsNotFound() =>
        await Assert.ThrowsAsync<FileNotFoundException>(() => PromptDataset.OpenAsync(_folder.At("none"), cancellation: Cancellation));

    [Fact]
    public async Task OpenAsync_FileCutShortAnywhere_IsRefused()
    {
        var whole = File.ReadAllBytes(Path.Combine(Folder, "data", "train-00001-of-00002.parquet"));
        foreach (var length in new[] { 1, 4, 11, 12, 100, whole.Length / 2, whole.Length - 8, whole.Length - 1 })
        {
            var path = _folder.Write("train.parquet", whole.AsSpan(0, length));
            var error = await Assert.ThrowsAsync<InvalidDataException>(() => PromptDataset.OpenAsync(path, cancellation: Cancellation));
            Assert.Contains(path, error.Message);
        }
    }

    [Fact]
    public async Task OpenAsync_FooterLargerThanTheFile_IsRefused()
    {
        byte[] file = [.. "PAR1"u8, .. new byte[32], 255, 255, 255, 127, .. "PAR1"u8];

        var error = await Assert.ThrowsAsync<InvalidDataException>(
            () => PromptDataset.OpenAsync(_folder.Write("x.parquet", file), cancellation: Cancellation));
        Assert.Contains("2147483647", error.Message);
    }

    public static TheoryData<string, byte[]> Footers => new()
    {
        { "nothing", [] },
        { "a number that does not end", [0x15, 0x80] },
        { "a number of many bytes", [0x15, .. Enumerable.Repeat((byte)0x80, 30), 0, 0] },
        { "4 billion schema elements", [0x29, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0] },
        { "a list of bools", [0xf9, 0xf1, 0xff, 0xff, 0xff, 0xff, 0x07, 0, 0] },
        { "a text instead of the version", [0x18, 1, 65, 0] },
        { "a text of 2 GB", [0x68, 0xff, 0xff, 0xff, 0xff, 0x07, 0] },
        { "structs in structs", [.. Enumerable.Repeat((byte)0xfc, 5000), .. new byte[5000]] },
        { "no such type", [0x1d, 0] },
        { "a field twice", [0x15, 2, 0x05, 2, 2, 0] },
        { "2000 schema elements", [0x15, 2, 0x19, 0xfc, 0xd0, 0x0f, .. new byte[2000], 0] },
        { "no fields", [0] },
    };

    [Theory]
    [MemberData(nameof(Footers))]
    public async Task OpenAsync_DamagedFooter_IsRefused(string what, byte[] footer)
    {
        Assert.NotEmpty(what);
        byte[] file = [.. "PAR1"u8, .. footer, .. BitConverter.GetBytes(footer.Length), .. "PAR1"u8];
        var path = _folder.Write("x.parquet", file);

        var error = await Assert.ThrowsAsync<InvalidDataException>(() => PromptDataset.OpenAsync(path, cancellation: Cancellation));
        Assert.Contains(path, error.Message);
    }

    [Fact]
    public async Task SampleAsync_AnyDamage_IsRefusedOrRead()
    {
        var whole = File.ReadAllBytes(Path.Combine(Folder, "data", "train-00000-of-00002.parquet"));
        var (refused, read) = (0, 0);
        var random = new Taba.Diffusion.Randomness.PythonRandom(1);
        for (var i = 0; i < 400; i++)
        {
            var damaged = (byte[])whole.Clone();
            for (var k = 0; k < 3; k++)
                damaged[random.Choice(whole.Length)] = (byte)random.Choice(256);
            var path = _folder.Write("damaged.parquet", damaged);
            try
            {
                var dataset = await PromptDataset.OpenAsync(path, cancellation: Cancellation);
                await dataset.SampleAsync(1, (int)Math.Min(dataset.Count, 10), Cancellation);
                read++;
            }
            catch (InvalidDataException)
            {
                refused++;
            }
        }

        Assert.Equal(400, refused + read);
        Assert.InRange(refused, 20, 400);
    }

    static int RowOf(string prompt) => int.Parse(prompt[4..prompt.IndexOf(':')]);

    static async Task<string> DigestAsync(string path) =>
        (await (await PromptDataset.OpenAsync(path, cancellation: Cancellation)).SampleAsync(0, 0, Cancellation)).ColumnDigest;

    string Write(string name, string[] texts)
    {
        using var file = new ParquetFileWriter(_folder.At(name), [new Column<string>(PromptDataset.DefaultColumn)]);
        using (var group = file.AppendRowGroup())
        using (var column = group.NextColumn().LogicalWriter<string>())
            column.WriteBatch(texts);
        file.Close();
        return _folder.At(name);
    }
}

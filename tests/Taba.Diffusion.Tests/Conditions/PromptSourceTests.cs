using System.Text;
using Taba.Diffusion.Conditions;
using Taba.Testing;

namespace Taba.Diffusion.Tests.Conditions;

public sealed class PromptSourceTests : IDisposable
{
    readonly TempFolder _folder = new();

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("null", "")]
    [InlineData("hobbit", "hobbit standing next to its house")]
    public async Task OpenAsync_FixedPrompt_IsThatOfEveryRow(string name, string prompt)
    {
        var source = await OpenAsync(new PromptDraw { Source = name, Prompts = 2 });
        var other = await OpenAsync(new PromptDraw { Source = name, Prompts = 200, NoisesPerPrompt = 7, CondSeed = 3 });

        Assert.Null(source.Rows);
        Assert.Equal(prompt, source.Prompt(0));
        Assert.Equal(prompt, source.Prompt(1L << 40));
        Assert.Equal(source.Digest, other.Digest);
        var range = source.Range(5, 3);
        Assert.Equal([prompt], range.Distinct);
        Assert.Equal([0, 0, 0], range.IndexOfRow);
    }

    [Fact]
    public async Task OpenAsync_Dataset_RepeatsEachPrompt()
    {
        var draw = new PromptDraw { DatasetPath = PromptDatasetTests.Folder, CondSeed = 10, Prompts = 3, NoisesPerPrompt = 2 };
        var source = await OpenAsync(draw);
        var dataset = await PromptDataset.OpenAsync(draw.DatasetPath, cancellation: Cancellation);
        var sample = await dataset.SampleAsync(10, 3, Cancellation);

        Assert.Equal(6, source.Rows);
        Assert.Equal(sample.Prompts, source.Prompts);
        Assert.Equal(
            sample.Prompts.SelectMany(prompt => new[] { prompt, prompt }), Enumerable.Range(0, 6).Select(row => source.Prompt(row)));
        Assert.Throws<ArgumentOutOfRangeException>(() => source.Prompt(6));
        Assert.Throws<ArgumentOutOfRangeException>(() => source.Prompt(-1));
        var range = source.Range(1, 4);
        Assert.Equal(sample.Prompts, range.Distinct);
        Assert.Equal([0, 1, 1, 2], range.IndexOfRow);
    }

    [Fact]
    public async Task Digest_OfADraw_DependsOnWhatARowDependsOn()
    {
        var draw = new PromptDraw { DatasetPath = PromptDatasetTests.Folder, CondSeed = 10, Prompts = 3, NoisesPerPrompt = 2 };
        var digest = (await OpenAsync(draw)).Digest;

        Assert.Equal(64, digest.Length);
        Assert.Equal(digest, (await OpenAsync(draw with { Prompts = 50 })).Digest);
        Assert.Equal(digest, (await OpenAsync(draw with { DatasetPath = null, Source = draw.DatasetPath })).Digest);
        Assert.NotEqual(digest, (await OpenAsync(draw with { CondSeed = 11 })).Digest);
        Assert.NotEqual(digest, (await OpenAsync(draw with { NoisesPerPrompt = 4 })).Digest);
    }

    [Fact]
    public async Task OpenAsync_TextFile_TakesTheFirstPrompts()
    {
        var path = Write("p.txt", "a\nb\n\na\nc\n");
        var source = await OpenAsync(new PromptDraw { Source = path, NoisesPerPrompt = 2 });
        var shorter = await OpenAsync(new PromptDraw { Source = path, NoisesPerPrompt = 2, Prompts = 2 });
        var list = await OpenAsync(new PromptDraw { Source = Write("p.json", """["a","b","a","c"]"""), NoisesPerPrompt = 2 });
        var changed = await OpenAsync(new PromptDraw { Source = Write("q.txt", "a\nb\nac\n"), NoisesPerPrompt = 2 });

        Assert.Equal(8, source.Rows);
        Assert.Equal(["a", "b", "c"], source.Range(0, 8).Distinct);
        Assert.Equal([0, 0, 1, 1, 0, 0, 2, 2], source.Range(0, 8).IndexOfRow);
        Assert.Equal(4, shorter.Rows);
        Assert.Equal(source.Digest, shorter.Digest);
        Assert.Equal(source.Digest, list.Digest);
        Assert.NotEqual(source.Digest, changed.Digest);
    }

    [Fact]
    public void RowByRow_PickleOfTheReference_GivesAPromptARow()
    {
        var source = PromptSource.RowByRow(Fixtures.At("e2e/if_hobbit_gs1/sample_T10/prompts.pkl"));

        Assert.Equal(4, source.Rows);
        Assert.Equal(PromptSource.HobbitPrompt, source.Prompt(3));
        Assert.Equal([PromptSource.HobbitPrompt], source.Range(0, 4).Distinct);
        Assert.Equal(source.Digest, PromptSource.List([.. Enumerable.Repeat(PromptSource.HobbitPrompt, 4)]).Digest);
    }

    [Theory]
    [InlineData("hobit", null, "none of the named sources dataset, null and hobbit")]
    [InlineData("", null, "none of the named sources")]
    [InlineData("dataset", null, "say where its parquet files are")]
    public async Task OpenAsync_NoSource_SaysWhatThereIs(string name, string? path, string expected) =>
        await RefusedAsync(new PromptDraw { Source = name, DatasetPath = path, Prompts = 1 }, expected);

    [Fact]
    public async Task OpenAsync_NumbersThatCannotBe_AreRefused()
    {
        var recap = PromptDatasetTests.Folder;
        await RefusedAsync(new PromptDraw { Source = "null", NoisesPerPrompt = 0 }, "noises_per_prompt is 0");
        await RefusedAsync(new PromptDraw { Source = "null", Prompts = 0 }, "n_prompts is 0");
        await RefusedAsync(new PromptDraw { DatasetPath = recap }, "n_prompts");
        await RefusedAsync(new PromptDraw { DatasetPath = recap, Prompts = 104 }, "104 prompts were asked for");
        await RefusedAsync(new PromptDraw { Source = Write("p.txt", "a\nb\n"), Prompts = 3 }, "3 prompts were asked for, but");
    }

    static Task<PromptSource> OpenAsync(PromptDraw draw) => PromptSource.OpenAsync(draw, Cancellation);

    static async Task RefusedAsync(PromptDraw draw, string expected)
    {
        var error = await Assert.ThrowsAsync<InvalidDataException>(() => OpenAsync(draw));
        Assert.Contains(expected, error.Message);
    }

    string Write(string name, string text) => _folder.Write(name, Encoding.UTF8.GetBytes(text));
}

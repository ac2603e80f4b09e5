using Taba.Storage.RunFolders;
using Taba.Diffusion.Conditions;
using Taba.Silo.Conditions;

namespace Taba.Silo.Outputs;

/// <summary>The prompts of a run, one a row: <c>prompts.json</c>, and upstream's <c>prompts.pkl</c> beside .pt files.</summary>
static class PromptOutputs
{
    public static async Task WriteAsync(PromptRows prompts, RowRange rows, OutputFolder folder, TensorFormat format)
    {
        var lines = await OfAsync(prompts, RowSet.Of(rows));
        Save(folder, "prompts.json", stream => PromptFile.WriteJson(stream, lines));
        if (format == TensorFormat.Pt)
            Save(folder, "prompts.pkl", stream => PromptFile.WritePickle(stream, lines));
    }

    /// <summary>The prompts of some rows, in their order.</summary>
    public static async Task<IReadOnlyList<string>> OfAsync(PromptRows prompts, RowSet rows)
    {
        var source = await PromptSources.OpenAsync(prompts);
        return [.. rows.Ranges.SelectMany(range => Enumerable.Range(range.Start, range.Count)).Select(row => source.Prompt(row))];
    }

    static void Save(OutputFolder folder, string file, Action<Stream> write)
    {
        using var bytes = new MemoryStream();
        write(bytes);
        folder.Write(file, bytes.ToArray());
    }
}

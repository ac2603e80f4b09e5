using Taba.Storage.RunFolders;
using Taba.Diffusion.Conditions;
using Taba.Silo.Conditions;

namespace Taba.Silo.Outputs;

/// <summary>The prompts of a run, one a row: <c>prompts.json</c>, and upstream's <c>prompts.pkl</c> beside .pt files.</summary>
static class PromptOutputs
{
    public static async Task WriteAsync(PromptRows prompts, RowRange rows, OutputFolder folder, TensorFormat format)
    {
        var source = await PromptSources.OpenAsync(prompts);
        var lines = Enumerable.Range(rows.Start, rows.Count).Select(row => source.Prompt(row)).ToList();
        Save(folder, "prompts.json", stream => PromptFile.WriteJson(stream, lines));
        if (format == TensorFormat.Pt)
            Save(folder, "prompts.pkl", stream => PromptFile.WritePickle(stream, lines));
    }

    static void Save(OutputFolder folder, string file, Action<Stream> write)
    {
        using var bytes = new MemoryStream();
        write(bytes);
        folder.Write(file, bytes.ToArray());
    }
}

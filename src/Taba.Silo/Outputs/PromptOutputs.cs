using Taba.Diffusion.Conditions;
using Taba.Grains.Stages;
using Taba.Silo.Conditions;
using Taba.Silo.Storage;

namespace Taba.Silo.Outputs;

/// <summary>The prompts of a run, one a row: <c>prompts.json</c>, and upstream's <c>prompts.pkl</c> beside .pt files.</summary>
static class PromptOutputs
{
    public static async Task WriteAsync(PromptRows prompts, RowRange rows, string folder, Diffusion.Tensors.TensorFormat format)
    {
        var source = await PromptSources.OpenAsync(prompts);
        var lines = Enumerable.Range(rows.Start, rows.Count).Select(row => source.Prompt(row)).ToList();
        Save(Path.Combine(folder, "prompts.json"), stream => PromptFile.WriteJson(stream, lines));
        if (format == Diffusion.Tensors.TensorFormat.Pt)
            Save(Path.Combine(folder, "prompts.pkl"), stream => PromptFile.WritePickle(stream, lines));
    }

    static void Save(string path, Action<Stream> write)
    {
        using var bytes = new MemoryStream();
        write(bytes);
        var temporary = $"{path}.tmp-{Guid.NewGuid():n}";
        StoreErrors.Guard(path, () =>
        {
            DurableFile.Write(temporary, bytes.ToArray());
            File.Move(temporary, path, overwrite: true);
            return 0;
        });
    }
}

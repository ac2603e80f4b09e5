using Taba.Diffusion.Conditions;
using Taba.Diffusion.Tensors;
using Taba.Silo.Engines;
using Taba.Silo.Models;

namespace Taba.Silo.Conditions;

/// <summary>The conditions of a part's rows: class ids, or embedded prompts.</summary>
sealed class ConditionRows(PromptEmbeddings embeddings)
{
    /// <summary>Gives each row of a part its condition.</summary>
    public async Task FillAsync(ActivePart part, CancellationToken cancellationToken)
    {
        var (spec, rows) = (part.Lease.Spec, part.Lease.Rows);
        switch (spec.Conditions)
        {
            case null:
                return;
            case PromptRows prompts:
                var source = await PromptSources.OpenAsync(prompts);
                var embedded = await embeddings.OfAsync(spec, source, cancellationToken);
                part.Prompts = [.. Enumerable.Range(rows.Start, rows.Count).Select(row => embedded.Of(source.Prompt(row)))];
                part.NullPrompt = spec.Guidance > 1 ? embedded.Of("") : null;
                return;
            default:
                part.Labels = Classes(spec.Conditions, spec.Model, rows);
                return;
        }
    }

    /// <summary>Class ids of rows.</summary>
    public static long[] Classes(RowsRef source, ModelIdentity model, RowRange rows)
    {
        switch (source)
        {
            case FileRows file:
                using (var tensors = TensorFile.Open(file.Path))
                    return StateFile.ReadLabels(tensors.Single("conds"), rows);
            case ListedClassRows listed:
                return [.. Enumerable.Range(rows.Start, rows.Count).Select(row => listed.Ids[row / listed.NoisesPerPrompt])];
            case DrawnClassRows drawn:
                var last = (rows.End + drawn.NoisesPerPrompt - 1) / drawn.NoisesPerPrompt;
                var ids = ClassDraw.Ids(drawn.CondSeed, last, ModelDefinitions.Of(model).Labels());
                return [.. Enumerable.Range(rows.Start, rows.Count).Select(row => ids[row / drawn.NoisesPerPrompt])];
            default:
                throw new InvalidOperationException($"Classes cannot come from {source}.");
        }
    }
}

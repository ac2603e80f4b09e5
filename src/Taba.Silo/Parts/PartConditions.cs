using Taba.Silo.Engines;
using Taba.Silo.Conditions;

namespace Taba.Silo.Parts;

/// <summary>The conditions of a part's rows: class ids, or embedded prompts.</summary>
sealed class PartConditions(PromptEmbeddings embeddings)
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
                part.Labels = ConditionRows.Classes(spec.Conditions, spec.Model, rows);
                return;
        }
    }
}

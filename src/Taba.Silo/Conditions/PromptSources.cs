using System.Collections.Concurrent;
using Taba.Diffusion.Conditions;

namespace Taba.Silo.Conditions;

/// <summary>Opened prompts by address: a dataset is read once.</summary>
static class PromptSources
{
    const int Most = 16;

    static readonly ConcurrentDictionary<PromptRows, Lazy<Task<PromptSource>>> s_opened = new();

    /// <summary>The source behind an address, which must still be what it was when the sweep was planned.</summary>
    /// <exception cref="InvalidDataException">It is gone, damaged or changed.</exception>
    public static async Task<PromptSource> OpenAsync(PromptRows rows)
    {
        if (s_opened.Count > Most)
            s_opened.Clear();
        var opening = s_opened.GetOrAdd(rows, key => new(() => ReadAsync(key)));
        try
        {
            return await opening.Value;
        }
        catch
        {
            // A source that could not be read may be there the next time.
            s_opened.TryRemove(new(rows, opening));
            throw;
        }
    }

    /// <summary>Reads prompts as the user asks for them.</summary>
    /// <param name="prompts">How many are drawn; null for a file with one a row.</param>
    public static Task<PromptSource> ReadAsync(
        string source, string? datasetPath, long condSeed, int? prompts, int noisesPerPrompt, bool rowByRow) =>
        rowByRow
            ? Task.Run(() => PromptSource.RowByRow(source))
            : PromptSource.OpenAsync(new PromptDraw
            {
                Source = source, DatasetPath = datasetPath, CondSeed = condSeed, Prompts = prompts, NoisesPerPrompt = noisesPerPrompt,
            });

    static async Task<PromptSource> ReadAsync(PromptRows rows)
    {
        var count = (rows.TotalRows + rows.NoisesPerPrompt - 1) / rows.NoisesPerPrompt;
        var source = await ReadAsync(rows.Source, rows.DatasetPath, rows.CondSeed, count, rows.NoisesPerPrompt, rows.RowByRow);
        return source.Digest == rows.Digest
            ? source
            : throw new InvalidDataException(
                $"The prompts '{rows.Source}' are not what they were when the sweep was planned: run the same command again to plan it "
                + "anew.");
    }
}

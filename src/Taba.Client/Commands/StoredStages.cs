using System.Text.Json;
using Taba.Grains;
using Taba.Grains.Sweeps;
using Taba.Grains.Words;
using Taba.Storage.Manifests;

namespace Taba.Client.Commands;

/// <summary>Stages of a store as lines: what each is, its rows, its size, the runs that use it.</summary>
/// <param name="all">Every stage of the store: one is named after those that it comes from.</param>
/// <param name="users">What uses a stage, by its key.</param>
sealed class StoredStages(IReadOnlyList<StoredStage> all, ILookup<string, string> users)
{
    const int UsersShown = 1;
    const int KeyDigits = 8;

    readonly Dictionary<string, StageSpec> _specs = all.Where(s => s.Spec is not null).ToDictionary(s => s.Key, s => s.Spec!);

    /// <summary>The key that a user means, by its beginning.</summary>
    /// <param name="place">The store, for the refusal.</param>
    /// <exception cref="BadInputException">No stage or several are meant.</exception>
    public static string KeyOf(string given, IEnumerable<string> keys, string place)
    {
        var meant = keys.Where(k => given.Length > 0 && k.StartsWith(given, StringComparison.Ordinal)).ToList();
        return meant switch
        {
            [var one] => one,
            [] => throw new BadInputException($"The store {place} has no stage '{given}': 'taba store ls' names those it has."),
            _ => throw new BadInputException($"'{given}' means {meant.Count} stages of the store {place}: give more of the key."),
        };
    }

    /// <summary>Some of the stages, as a table.</summary>
    public void Write(TextWriter output, IReadOnlyList<StoredStage> stages)
    {
        var names = StageNames.Of(_specs);
        // One model is that of every line.
        var severalModels = _specs.Values.Select(s => s.Model.Digest).Distinct().Count() > 1;
        List<string[]> cells =
        [
            .. stages.Select(s => new[]
            {
                names.GetValueOrDefault(s.Key, "(its description cannot be read)"),
                severalModels && s.Spec is { } spec ? StageWords.Model(spec.Model) : "",
                $"{Quantities.Count(s.Rows.Count)} rows", Quantities.Bytes(s.Bytes), UsedBy(s.Key),
                s.Key[..Math.Min(KeyDigits, s.Key.Length)],
            }),
        ];
        var widths = Enumerable.Range(0, 6).Select(c => cells.Select(r => r[c].Length).DefaultIfEmpty(0).Max()).ToArray();
        foreach (var row in cells)
        {
            output.WriteLine(string.Join(
                "  ", row.Select((cell, c) => c is 2 or 3 ? cell.PadLeft(widths[c]) : cell.PadRight(widths[c])).Where(c => c.Length > 0))
                .TrimEnd());
        }
    }

    /// <summary>Some of the stages, a line of JSON each.</summary>
    public void WriteJson(TextWriter output, IReadOnlyList<StoredStage> stages)
    {
        var names = StageNames.Of(_specs);
        foreach (var stage in stages)
        {
            var (before, seed) = stage.Spec is { } given ? StageNames.Numbers(given, _specs) : (null, null);
            output.WriteLine(JsonSerializer.Serialize(new
            {
                key = stage.Key,
                stage = stage.Spec is { } kind ? StageNames.Of(kind.Kind) : null,
                name = names.GetValueOrDefault(stage.Key),
                num_inference_steps = stage.Spec is { HasSteps: true } steps ? steps.NumInferenceSteps : (int?)null,
                before,
                seed,
                rows = stage.Rows.Count,
                bytes = stage.Bytes,
                last_write = stage.LastWrite,
                description = stage.Spec is { } spec ? StageWords.Of(spec) : "(its description cannot be read)",
                used_by = users[stage.Key],
            }));
        }
    }

    string UsedBy(string key)
    {
        var found = users[key].ToList();
        return found.Count == 0 ? "used by no run" : $"used by {string.Join(", ", found.Take(UsersShown))}"
            + (found.Count > UsersShown ? $" and {found.Count - UsersShown} more" : "");
    }
}

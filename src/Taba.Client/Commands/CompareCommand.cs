using System.CommandLine;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Taba.Client.Comparing;
using Taba.Grains;

namespace Taba.Client.Commands;

/// <summary><c>taba compare A B</c></summary>
static class CompareCommand
{
    static readonly JsonSerializerOptions s_json = new() { NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals };

    public static Command Create(CommandServices services)
    {
        var a = new Argument<string>("A") { Description = "A run's folder, or a sweep's; ours or upstream's." };
        var b = new Argument<string>("B") { Description = "The folder to compare it with." };
        var page = Flags.Of<string?>("out", "Writes the same as a page (.html).", "-o");
        var json = Flags.Switch("json", "Machine-readable lines, no colours.");
        var command = new Command(
            "compare", "Puts two runs, or two sweeps, side by side: settings that differ, metrics, largest differences of tensors.")
        {
            a, b, page, json,
        };
        command.SetAction((parsed, interrupted) =>
        {
            var comparison = Comparison.Of(parsed.GetValue(a)!, parsed.GetValue(b)!, interrupted);
            if (parsed.GetValue(page) is { } file)
                Write(file, ComparisonPage.Of(comparison));
            if (parsed.GetValue(json))
                services.Terminal.Output.WriteLine(JsonSerializer.Serialize(Json(comparison), s_json));
            else
                Write(services.Terminal.Output, comparison);
            return Task.FromResult(ExitStatus.Done);
        });
        return command.WithExamples(
            "taba compare experiments/demo/demo_T10_seed420 experiments/demo/demo_T10_seed420_forward_before1_seed999",
            "taba compare experiments/demo experiments/demo-cosine --out comparison.html");
    }

    static void Write(string file, string page)
    {
        try
        {
            File.WriteAllText(file, page, new UTF8Encoding(false));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException($"The page cannot be written to {file}: {exception.Message}", exception);
        }
    }

    static void Write(TextWriter output, Comparison comparison)
    {
        output.WriteLine($"A: {comparison.A}");
        output.WriteLine($"B: {comparison.B}");
        if (comparison.Settings.Count == 0)
            output.WriteLine("No setting differs.");
        foreach (var table in ComparisonTables.Of(comparison))
        {
            output.WriteLine();
            var widths = Enumerable.Range(0, table.Rows[0].Length).Select(c => table.Rows.Max(r => r[c].Length)).ToArray();
            foreach (var row in table.Rows)
                output.WriteLine(string.Join(
                    "  ", row.Select((cell, c) => c < table.Words ? cell.PadRight(widths[c]) : cell.PadLeft(widths[c]))).TrimEnd());
        }
        output.WriteLine();
        foreach (var sentence in ComparisonTables.Notes(comparison))
            output.WriteLine(sentence);
    }

    static object Json(Comparison comparison) => new
    {
        a = comparison.A,
        b = comparison.B,
        settings = comparison.Settings.ToDictionary(s => s.Name, s => new { a = s.A, b = s.B }),
        runs = comparison.Runs.Select(r => new
        {
            a = r.Pair.A.Manifest.Run,
            b = r.Pair.B.Manifest.Run,
            label = r.Pair.Label,
            metrics = r.Metrics.ToDictionary(m => m.Name, m => new
            {
                a = m.A,
                a_low = m.OfA?.Low,
                a_high = m.OfA?.High,
                b = m.B,
                b_low = m.OfB?.Low,
                b_high = m.OfB?.High,
                difference = m.Difference,
                difference_low = m.Between?.Low,
                difference_high = m.Between?.High,
                p_value = m.PValue,
                told = m.Between is null ? (bool?)null : m.IsTold,
            }),
            tensors = r.Tensors.ToDictionary(
                t => t.Name, t => new { samples = t.Rows, largest = t.Largest, sample = t.Sample, mean = t.Mean }),
        }),
        only_a = comparison.OnlyA.Select(r => r.Below),
        only_b = comparison.OnlyB.Select(r => r.Below),
    };
}

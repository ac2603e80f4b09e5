using System.Globalization;
using System.Text;
using System.Text.Json;
using CsvHelper;
using CsvHelper.Configuration;
using Taba.Diffusion.Json;

namespace Taba.Diffusion.Conditions;

/// <summary>
/// Prompts in tables: the column 'prompt', or the one that is called 'caption' or 'text' where there is no such column. A table of other
/// columns is refused, whatever it holds: ids and file names make prompts too.
/// </summary>
static class PromptTable
{
    static readonly string[] s_names = ["prompt", "caption", "text"];

    /// <summary>A CSV or TSV file (RFC 4180): UTF-8, a line that names the columns, a row a prompt.</summary>
    /// <exception cref="InvalidDataException">It has no such column, a row of another length, or is no such table.</exception>
    internal static List<string> ReadSeparated(string text, string separator, string path)
    {
        var settings = new CsvConfiguration(CultureInfo.InvariantCulture)
        {
            Delimiter = separator,
            HasHeaderRecord = false,
            BadDataFound = bad => throw new InvalidDataException(
                $"{path}, line {bad.Context.Parser?.RawRow}: a quotation mark stands where none may: a cell that has some is written as "
                + "\"a \"\"quoted\"\" word\"."),
        };
        using var parser = new CsvParser(new StringReader(text), settings);
        try
        {
            if (!parser.Read())
                return [];
            var columns = parser.Record!.Length;
            var at = Column(parser.Record!, path, "; its first line names the columns");
            var prompts = new List<string>();
            while (parser.Read())
            {
                if (parser.Count != columns)
                {
                    throw new InvalidDataException(
                        $"{path}, line {parser.RawRow}: {Cells(parser.Count)} where the first line names {columns}: a prompt with a "
                        + "separator in it stands in quotation marks.");
                }
                prompts.Add(parser[at]);
            }
            return prompts;
        }
        catch (CsvHelperException e)
        {
            throw new InvalidDataException($"{path}, line {parser.RawRow}: not a table of texts.", e);
        }
    }

    /// <summary>A JSON text a line: a string, or an object with a field of the column's name.</summary>
    /// <exception cref="InvalidDataException">A line is neither.</exception>
    internal static List<string> ReadJsonLines(IEnumerable<(int Number, string Text)> lines, string path) =>
    [
        .. lines.Where(line => !string.IsNullOrWhiteSpace(line.Text)).Select(line =>
        {
            try
            {
                using var document = StrictJson.Parse(Encoding.UTF8.GetBytes(line.Text));
                return Text(document.RootElement, $"{path}, line {line.Number}");
            }
            catch (JsonException e)
            {
                throw new InvalidDataException($"{path}, line {line.Number} is not valid JSON: {e.Message}", e);
            }
        }),
    ];

    /// <summary>The prompt of an item of a JSON list.</summary>
    /// <exception cref="InvalidDataException">It is neither a string nor an object with such a field.</exception>
    internal static string Text(JsonElement item, string where)
    {
        if (item.ValueKind == JsonValueKind.Object)
        {
            var names = item.EnumerateObject().Select(field => field.Name).ToList();
            item = item.GetProperty(names[Column(names, where, "")]);
        }
        return item.ValueKind == JsonValueKind.String
            ? item.GetString()!
            : throw new InvalidDataException($"{where} is {item.ValueKind}; every prompt is a string.");
    }

    /// <summary>A parquet file, whose order is that of the rows.</summary>
    /// <exception cref="InvalidDataException">It has no such column of texts, too many rows, or is damaged.</exception>
    internal static List<string> ReadParquet(string path)
    {
        var names = ParquetTextColumn.Names(path);
        var name = names[Column(names, path, "")];
        var rows = ParquetTextColumn.Count(path, name);
        if (rows > PromptFile.MaxPrompts)
            throw new InvalidDataException($"{path} holds {rows} prompts; at most {PromptFile.MaxPrompts} are read.");
        return [.. ParquetTextColumn.Read(path, name).SelectMany(texts => texts)];
    }

    static int Column(IReadOnlyList<string> names, string where, string also)
    {
        foreach (var wanted in s_names)
        {
            var found = Enumerable.Range(0, names.Count)
                .Where(i => names[i].Trim().Equals(wanted, StringComparison.OrdinalIgnoreCase)).ToList();
            if (found.Count == 1)
                return found[0];
            if (found.Count > 1)
                throw new InvalidDataException($"{where}: {found.Count} columns are called '{wanted}'; one holds the prompts.");
        }
        var known = string.Join(", ", names.Take(10).Select(name => $"'{(name.Length > 40 ? name[..40] + "..." : name)}'"));
        throw new InvalidDataException(
            $"{where}: no column is called 'prompt' (nor 'caption' nor 'text'); it has {(names.Count == 0 ? "none" : known)}"
            + $"{(names.Count > 10 ? ", ..." : "")}{also}.");
    }

    static string Cells(int count) => count == 1 ? "1 cell" : $"{count} cells";
}

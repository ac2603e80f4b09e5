using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Taba.Diffusion.Json;

namespace Taba.Diffusion.Conditions;

/// <summary>
/// Lists of prompts in files, told apart by the ending: <c>.pkl</c> and <c>.pickle</c> (a pickled list of str, as the paper's code
/// writes it), <c>.json</c> (a list of strings, or an object with such a list as <c>prompts</c>), tables (<c>.csv</c>, <c>.tsv</c>,
/// <c>.jsonl</c>, <c>.parquet</c>, by their column 'prompt': <see cref="PromptTable"/>), and text otherwise: UTF-8, a prompt a line, in
/// which blank lines are skipped and everything else is kept as it stands.
/// </summary>
public static class PromptFile
{
    /// <summary>The largest file that is read.</summary>
    public const int MaxBytes = 64 << 20;

    /// <summary>The most prompts of a file.</summary>
    public const int MaxPrompts = 1 << 20;

    /// <summary>The most characters of a prompt; text encoders look at the first few hundred.</summary>
    public const int MaxPromptLength = 1 << 16;

    /// <summary>The most characters of all prompts: a pickle of a few bytes may repeat one prompt many times.</summary>
    const long MaxTotalLength = 1L << 27;

    static readonly UTF8Encoding s_strictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Text whose lines are no prompts.</summary>
    static readonly string[] s_otherText = [".yaml", ".yml", ".toml", ".ini", ".xml", ".html", ".htm", ".rtf", ".tex", ".py"];

    static readonly JsonWriterOptions s_readable = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Reads a file's prompts, one at least, in order.</summary>
    /// <exception cref="InvalidDataException">The file is damaged, hostile, of another kind, or has no prompts.</exception>
    /// <exception cref="IOException">The file is absent or cannot be read.</exception>
    public static IReadOnlyList<string> Read(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var prompts = Kind(path) switch
        {
            ".pkl" or ".pickle" => PromptPickle.Read(InputFile.Read(path, MaxBytes, "a pickled list of prompts"), path),
            ".json" => ReadJson(InputFile.Read(path, MaxBytes, "a JSON list of prompts"), path),
            ".csv" => PromptTable.ReadSeparated(Whole(path, "a table with a prompt a row"), ",", path),
            ".tsv" => PromptTable.ReadSeparated(Whole(path, "a table with a prompt a row"), "\t", path),
            ".jsonl" or ".ndjson" => PromptTable.ReadJsonLines(
                Lines(InputFile.Read(path, MaxBytes, "a file with a JSON text a line"), path), path),
            ".parquet" => PromptTable.ReadParquet(path),
            var other when s_otherText.Contains(other) => throw new InvalidDataException(
                $"{path}: prompts are not read from {other}: give a text file with a prompt a line, a .json list, or a .csv, .tsv, .jsonl "
                + "or .parquet with a column 'prompt'."),
            _ =>
            [
                .. Lines(InputFile.Read(path, MaxBytes, "a text file with a prompt a line"), path).Select(line => line.Text)
                    .Where(text => !string.IsNullOrWhiteSpace(text)),
            ],
        };
        Check(prompts, path);
        return prompts;
    }

    /// <summary>Writes prompts as a JSON list, one a line, UTF-8.</summary>
    public static void WriteJson(Stream destination, IEnumerable<string> prompts)
    {
        using var writer = new Utf8JsonWriter(destination, s_readable);
        writer.WriteStartArray();
        foreach (var prompt in prompts)
        {
            writer.WriteStringValue(prompt);
            if (writer.BytesPending > 1 << 16)
                writer.Flush();
        }

        writer.WriteEndArray();
    }

    /// <summary>
    /// Writes prompts as the pickle of a list of str (protocol 4), which <c>pickle.load</c> of Python 3.4 and newer reads.
    /// </summary>
    /// <exception cref="ArgumentException">A prompt is no valid Unicode.</exception>
    public static void WritePickle(Stream destination, IEnumerable<string> prompts) => PromptPickleWriter.Write(destination, prompts);

    static string Kind(string path) => Path.GetExtension(path).ToLowerInvariant();

    static List<string> ReadJson(byte[] bytes, string path)
    {
        try
        {
            using var document = StrictJson.Parse(bytes);
            var list = document.RootElement;
            if (list.ValueKind == JsonValueKind.Object)
            {
                if (!list.TryGetProperty("prompts", out var prompts) || list.EnumerateObject().Count() != 1)
                    throw new InvalidDataException($"{path}: an object has the one field 'prompts'; this one has {Fields(list)}.");
                list = prompts;
            }

            if (list.ValueKind != JsonValueKind.Array)
                throw new InvalidDataException($"{path}: a list of strings is expected, found {list.ValueKind}.");
            return [.. list.EnumerateArray().Select((item, at) => PromptTable.Text(item, $"{path}: item {at}"))];
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{path} is not valid JSON: {e.Message}", e);
        }
    }

    static string Fields(JsonElement element)
    {
        var names = element.EnumerateObject().Take(5).Select(property => $"'{property.Name}'").ToList();
        return names.Count == 0 ? "none" : string.Join(", ", names);
    }

    static string Whole(string path, string what) =>
        string.Join('\n', Lines(InputFile.Read(path, MaxBytes, what), path).Select(line => line.Text));

    static IEnumerable<(int Number, string Text)> Lines(byte[] bytes, string path)
    {
        var rest = WithoutMark(bytes);
        for (var number = 1; !rest.IsEmpty; number++)
        {
            var end = rest.Span.IndexOf((byte)'\n');
            yield return (number, Line((end < 0 ? rest : rest[..end]).Span, number, path));
            rest = end < 0 ? default : rest[(end + 1)..];
        }
    }

    static string Line(ReadOnlySpan<byte> bytes, int line, string path)
    {
        if (bytes is [.., (byte)'\r'])
            bytes = bytes[..^1];
        try
        {
            return s_strictUtf8.GetString(bytes);
        }
        catch (DecoderFallbackException e)
        {
            throw new InvalidDataException(
                $"{path}: line {line} is not UTF-8 text; save the file as UTF-8, or with the ending of what it is (.json, .pkl).", e);
        }
    }

    static ReadOnlyMemory<byte> WithoutMark(byte[] bytes) =>
        bytes is [0xef, 0xbb, 0xbf, ..] ? bytes.AsMemory(3) : bytes;

    static void Check(List<string> prompts, string path)
    {
        if (prompts.Count == 0)
            throw new InvalidDataException($"{path} holds no prompts; one at least is needed.");
        if (prompts.Count > MaxPrompts)
            throw new InvalidDataException($"{path} holds {prompts.Count} prompts; at most {MaxPrompts} are read.");

        var total = 0L;
        for (var i = 0; i < prompts.Count; i++)
        {
            if (prompts[i].Length > MaxPromptLength)
                throw new InvalidDataException(
                    $"{path}: prompt {i} has {prompts[i].Length} characters; at most {MaxPromptLength} are read.");
            total += prompts[i].Length;
        }

        if (total > MaxTotalLength)
            throw new InvalidDataException($"{path}: the prompts have {total} characters together; at most {MaxTotalLength} are read.");
    }
}

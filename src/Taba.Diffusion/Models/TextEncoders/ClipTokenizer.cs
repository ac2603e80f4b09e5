using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.ML.Tokenizers;
using Taba.Diffusion.Weights;

namespace Taba.Diffusion.Models.TextEncoders;

/// <summary>
/// Turns captions into CLIP's token ids as OpenAI's <c>clip.tokenize</c> with <c>truncate</c> does: prepared by <see cref="ClipText"/>, cut
/// into words and those into byte pairs, between a start and an end token. Safe for several threads.
/// </summary>
public sealed partial class ClipTokenizer
{
    /// <summary>The file of a tokenizer's folder that gives each piece its id.</summary>
    public const string VocabularyFile = "vocab.json";

    /// <summary>The file of a tokenizer's folder that lists pairs of pieces, those that are joined first coming first.</summary>
    public const string MergesFile = "merges.txt";

    /// <summary>Tokens of a caption, start and end included.</summary>
    public const int CaptionLength = 77;

    const string Start = "<|startoftext|>";
    const string End = "<|endoftext|>";
    const string EndOfWord = "</w>";

    /// <summary>CLIP's own files have 0.9 and 0.5 MB.</summary>
    const int MaxFileBytes = 16 << 20;

    readonly BpeTokenizer _pairs;
    readonly int _start;
    readonly int _end;
    readonly string _folder;

    ClipTokenizer(BpeTokenizer pairs, int start, int end, string folder) => (_pairs, _start, _end, _folder) = (pairs, start, end, folder);

    /// <summary>Every id is below this; a text transformer's vocabulary must not be smaller.</summary>
    public int VocabularySize => _end + 1;

    /// <summary>Reads the two files of a tokenizer's folder.</summary>
    /// <exception cref="InvalidDataException">One is missing, damaged, or not laid out as CLIP's.</exception>
    public static ClipTokenizer Load(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        var full = Path.GetFullPath(folder);
        var path = Path.Combine(full, VocabularyFile);
        var vocabulary = Vocabulary(path);
        if (!vocabulary.TryGetValue(Start, out var start) || !vocabulary.TryGetValue(End, out var end)
            || vocabulary.Values.Any(id => id < 0 || id > end))
        {
            // CLIP's text half finds the end of a caption by its id.
            throw new InvalidDataException($"{path} is not CLIP's: {Start} and {End} must be in it, and {End} must have the largest id.");
        }

        var special = new Dictionary<string, int> { [Start] = start, [End] = end };
        try
        {
            return new(
                BpeTokenizer.Create(new BpeOptions(vocabulary)
                {
                    Merges = Merges(Path.Combine(full, MergesFile)),
                    ByteLevel = true,
                    EndOfWordSuffix = EndOfWord,
                    SpecialTokens = special,
                    PreTokenizer = new RegexPreTokenizer(Word(), special),
                }),
                start,
                end,
                full);
        }
        catch (Exception error) when (error is not (InvalidDataException or OutOfMemoryException))
        {
            // The library meets damage with whatever exception its own code runs into.
            throw new InvalidDataException($"{full} holds no tokenizer of CLIP's ({error.Message.TrimEnd('.')}).", error);
        }
    }

    /// <summary>The ids of one caption: start, words, end, and the end again up to the length; a cut caption keeps its end.</summary>
    /// <param name="caption">As the user wrote it.</param>
    /// <param name="length">Tokens, 2 or more.</param>
    /// <returns>[length].</returns>
    /// <exception cref="InvalidDataException">The files turned out to be damaged.</exception>
    public long[] Encode(string caption, int length = CaptionLength)
    {
        ArgumentNullException.ThrowIfNull(caption);
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 2);
        IReadOnlyList<int> ids;
        try
        {
            ids = _pairs.EncodeToIds(ClipText.Normalize(caption));
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            throw new InvalidDataException(
                $"{_folder} cannot cut a caption into tokens; its {VocabularyFile} is damaged ({error.Message.TrimEnd('.')}).", error);
        }

        var result = new long[length];
        Array.Fill(result, _end);
        result[0] = _start;
        for (var i = 0; i < Math.Min(ids.Count, length - 2); i++)
            result[i + 1] = ids[i];
        return result;
    }

    static Dictionary<string, int> Vocabulary(string path)
    {
        var read = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var piece in BoundedJson.ReadObject(path, MaxFileBytes).EnumerateObject())
        {
            if (piece.Value.ValueKind != JsonValueKind.Number || !piece.Value.TryGetInt32(out var id) || !read.TryAdd(piece.Name, id))
                throw new InvalidDataException($"{path} must give each piece one id, a whole number; '{piece.Name}' is another matter.");
        }

        return read;
    }

    static List<string> Merges(string path)
    {
        try
        {
            using var file = SourceFile.Open(path);
            return [.. Encoding.UTF8.GetString(file.ReadBytes(0, file.Length, MaxFileBytes, "it"))
                .Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
                .Where(line => !line.StartsWith("#version", StringComparison.Ordinal))];
        }
        catch (WeightsFormatException error)
        {
            throw new InvalidDataException($"{path} cannot be read: {error.Fault}", error);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new InvalidDataException($"There is no file {path}, which holds the pairs of CLIP's tokenizer.", error);
        }
    }

    [GeneratedRegex("'s|'t|'re|'ve|'m|'ll|'d|\\p{L}+|\\p{N}|[^\\s\\p{L}\\p{N}]+", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex Word();
}

using System.Text.RegularExpressions;
using Microsoft.ML.Tokenizers;
using Taba.Diffusion.Weights;

namespace Taba.Diffusion.Models.TextEncoders;

/// <summary>
/// Turns prompts into T5's token ids as upstream does: prepared by <see cref="PromptText"/>, cut by the SentencePiece unigram model
/// of a tokenizer folder, ended by the end token and padded. Safe for several threads.
/// </summary>
public sealed partial class T5Tokenizer
{
    /// <summary>The file of a tokenizer folder that is read; the length in tokenizer_config.json is not the one used by IF.</summary>
    public const string ModelFile = "spiece.model";

    /// <summary>Tokens of a prompt in DeepFloyd IF, the end token included.</summary>
    public const int PromptLength = 77;

    const int EndId = 1;
    const int UnknownId = 2;

    /// <summary>T5's own vocabulary has 0.8 MB.</summary>
    const int MaxModelBytes = 16 << 20;

    /// <summary>The sentinels &lt;extra_id_0&gt;..&lt;extra_id_99&gt; lie above the pieces, in falling order.</summary>
    const int Sentinels = 100;

    static readonly string[] s_firstPieces = ["<pad>", "</s>", "<unk>"];

    readonly SentencePieceTokenizer _model;
    readonly string _path;

    T5Tokenizer(SentencePieceTokenizer model, string path, int pieces)
    {
        _model = model;
        _path = path;
        VocabularySize = pieces + Sentinels;
    }

    /// <summary>trainer_spec.bos_id = 1, to be merged into the model: the library cannot read a model without a first token.</summary>
    static ReadOnlySpan<byte> BeginId => [0x12, 0x03, 0xC8, 0x02, 0x01];

    /// <summary>Every id is below this; an encoder's vocab_size must not be smaller.</summary>
    public int VocabularySize { get; }

    /// <summary>Reads the SentencePiece model of a tokenizer folder.</summary>
    /// <exception cref="InvalidDataException">There is none, or it is damaged, hostile or not laid out as T5's.</exception>
    public static T5Tokenizer Load(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        var path = Path.Combine(Path.GetFullPath(folder), ModelFile);
        var bytes = Read(path);
        SentencePieceTokenizer model;
        List<string> pieces;
        try
        {
            pieces = SentencePieces.Read(bytes);
            model = SentencePieceTokenizer.Create(
                new MemoryStream([.. bytes, .. BeginId]), addBeginningOfSentence: false, addEndOfSentence: true);
        }
        catch (Exception error)
        {
            // The library meets damage with whatever exception its own code runs into.
            throw new InvalidDataException($"{path} is no SentencePiece unigram model ({error.Message.TrimEnd('.')}).", error);
        }

        if (!pieces.Take(s_firstPieces.Length).SequenceEqual(s_firstPieces, StringComparer.Ordinal))
        {
            var found = string.Join("', '", pieces.Take(s_firstPieces.Length));
            throw new InvalidDataException(
                $"{path} is not T5's: its first pieces are '{found}', but must be '{string.Join("', '", s_firstPieces)}'.");
        }

        return new T5Tokenizer(model, path, pieces.Count);
    }

    /// <summary>
    /// The ids of one prompt, in lower case and stripped as upstream does, padded or cut; a cut prompt keeps its end token.
    /// </summary>
    /// <param name="prompt">As the user wrote it; empty for "no prompt".</param>
    /// <param name="length">Tokens, the end token included.</param>
    /// <returns>Both [length]: the ids, and 1 for each token that is not padding.</returns>
    /// <exception cref="InvalidDataException">The model turned out to be damaged.</exception>
    public (long[] Ids, long[] Mask) Encode(string prompt, int length = PromptLength)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        return EncodeText(PromptText.Normalize(prompt), length);
    }

    /// <summary>As <see cref="Encode"/>, but of a text as it stands: T5Tokenizer of transformers.</summary>
    public (long[] Ids, long[] Mask) EncodeText(string text, int length = PromptLength)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 1);
        var tokens = Tokens(text);
        if (tokens.Count > length - 1)
            tokens.RemoveRange(length - 1, tokens.Count - length + 1);

        // A prompt whose last word is the end token itself does not get a second one.
        if (tokens.Count == 0 || tokens[^1] != EndId)
            tokens.Add(EndId);

        var ids = new long[length];
        var mask = new long[length];
        for (var i = 0; i < tokens.Count; i++)
            (ids[i], mask[i]) = (tokens[i], 1);
        return (ids, mask);
    }

    static byte[] Read(string path)
    {
        try
        {
            using var file = SourceFile.Open(path);
            return file.ReadBytes(0, file.Length, MaxModelBytes, "it");
        }
        catch (WeightsFormatException error)
        {
            throw new InvalidDataException($"{path} cannot be read: {error.Fault}", error);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new InvalidDataException($"There is no file {path}, which holds the tokenizer of the text encoder.", error);
        }
    }

    /// <summary>Special tokens written out in the text stand for themselves; what lies between them is cut into pieces.</summary>
    List<int> Tokens(string text)
    {
        var tokens = new List<int>();
        var start = 0;
        foreach (Match special in SpecialToken().Matches(text))
        {
            AddPieces(text[start..special.Index], tokens);
            tokens.Add(IdOf(special));
            start = special.Index + special.Length;
        }

        AddPieces(text[start..], tokens);
        return tokens;
    }

    int IdOf(Match special) =>
        special.Groups[1] is { Success: true } sentinel
            ? VocabularySize - 1 - int.Parse(sentinel.ValueSpan)
            : Array.IndexOf(s_firstPieces, special.Value);

    void AddPieces(string text, List<int> tokens)
    {
        IReadOnlyList<int> ids;
        try
        {
            ids = _model.EncodeToIds(RemovedCharacters().Replace(text, ""), addBeginningOfSentence: false, addEndOfSentence: false);
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            throw new InvalidDataException(
                $"{_path} cannot cut a prompt into pieces; it is damaged ({error.Message.TrimEnd('.')}).", error);
        }

        // SentencePiece joins neighbouring characters that no piece covers into one unknown piece; the library does not.
        var unknown = false;
        foreach (var id in ids)
        {
            if (id < 0 || id >= VocabularySize)
                throw new InvalidDataException($"{_path} gives the id {id} to a piece; it has {VocabularySize} ids.");
            if (id != UnknownId || !unknown)
                tokens.Add(id);
            unknown = id == UnknownId;
        }
    }

    [GeneratedRegex("</s>|<pad>|<unk>|<extra_id_(0|[1-9][0-9]?)>", RegexOptions.CultureInvariant)]
    private static partial Regex SpecialToken();

    /// <summary>The control characters that the model's normalisation (nmt_nfkc) maps to nothing; the library leaves them in.</summary>
    [GeneratedRegex("[\u0001-\u0008\u000B\u000E-\u001F\u007F\u008F\u009F]", RegexOptions.CultureInvariant)]
    private static partial Regex RemovedCharacters();
}

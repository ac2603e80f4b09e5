using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Taba.Diffusion.Conditions;

/// <summary>The prompt of every row of a run, wherever prompts come from. Immutable; safe for several threads.</summary>
public sealed class PromptSource
{
    /// <summary>The name of prompts drawn from Recap-COCO-30K.</summary>
    public const string Dataset = "dataset";

    /// <summary>The name of the empty prompt.</summary>
    public const string Null = "null";

    /// <summary>The name of <see cref="HobbitPrompt"/>.</summary>
    public const string Hobbit = "hobbit";

    /// <summary>The fixed prompt of the paper's code.</summary>
    public const string HobbitPrompt = "hobbit standing next to its house";

    readonly IReadOnlyList<string> _prompts;
    readonly int _rowsPerPrompt;

    /// <param name="prompts">The prompts, one at least.</param>
    /// <param name="rowsPerPrompt">Consecutive rows of a prompt; 0 when the only prompt is that of every row.</param>
    /// <param name="identity">What the prompt of a row depends on.</param>
    PromptSource(IReadOnlyList<string> prompts, int rowsPerPrompt, string identity)
    {
        _prompts = prompts;
        _rowsPerPrompt = rowsPerPrompt;
        Digest = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(identity)));
    }

    /// <summary>The number of rows that have a prompt; null when every row has.</summary>
    public long? Rows => _rowsPerPrompt == 0 ? null : (long)_prompts.Count * _rowsPerPrompt;

    /// <summary>The prompts, in order, each once for all rows that follow one another with it.</summary>
    public IReadOnlyList<string> Prompts => _prompts;

    /// <summary>
    /// SHA-256 (64 lower-case hexadecimal digits) over all that the prompt of a row depends on: the prompt, where every row has the
    /// same; the dataset's column, the seed and the rows a prompt, for a draw; the prompts in order and the rows a prompt, for a file.
    /// To draw more prompts does not change it.
    /// </summary>
    public string Digest { get; }

    /// <summary>The same prompt in every row.</summary>
    public static PromptSource Fixed(string prompt)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        return new PromptSource([prompt], 0, "prompt/fixed;" + DigestOf([prompt]));
    }

    /// <summary>Prompts in order, each for some consecutive rows.</summary>
    public static PromptSource List(IReadOnlyList<string> prompts, int noisesPerPrompt = 1)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(noisesPerPrompt);
        return List(prompts, prompts, noisesPerPrompt);
    }

    /// <summary>A prompt file used row by row, as the paper's code uses prompts.pkl: row r has prompt r.</summary>
    /// <exception cref="InvalidDataException">The file is damaged or has no prompts.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static PromptSource RowByRow(string path) => List(PromptFile.Read(path));

    /// <summary>Finds or draws the prompts; each is that of <see cref="PromptDraw.NoisesPerPrompt"/> consecutive rows.</summary>
    /// <exception cref="InvalidDataException">The source does not exist or is damaged, or has fewer prompts than are asked for.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static async Task<PromptSource> OpenAsync(PromptDraw draw, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(draw);
        if (draw.NoisesPerPrompt < 1)
            throw new InvalidDataException($"noises_per_prompt is {draw.NoisesPerPrompt}; it must be 1 or more.");
        if (draw.Prompts is < 1)
            throw new InvalidDataException($"n_prompts is {draw.Prompts}; it must be 1 or more.");

        switch (draw.Source)
        {
            case Null:
                return Fixed("");
            case Hobbit:
                return Fixed(HobbitPrompt);
            case Dataset:
                return await DrawnAsync(draw, draw.DatasetPath ?? throw new InvalidDataException(
                    "The prompts 'dataset' are drawn from UCSC-VLAA/Recap-COCO-30K; say where its parquet files are, or use the prompts "
                    + "'null', 'hobbit' or a file."), cancellation);
            case var path when Directory.Exists(path) || Path.GetExtension(path).Equals(".parquet", StringComparison.OrdinalIgnoreCase):
                return await DrawnAsync(draw, path, cancellation);
            case var path when File.Exists(path):
                return OfFile(path, draw);
            default:
                throw new InvalidDataException(
                    $"The prompts '{draw.Source}' are no file, and none of the named sources {Dataset}, {Null} and {Hobbit}.");
        }
    }

    /// <summary>The prompt of a row.</summary>
    /// <exception cref="ArgumentOutOfRangeException">No such row has a prompt.</exception>
    public string Prompt(long row)
    {
        if (row < 0 || row >= Rows)
            throw new ArgumentOutOfRangeException(
                nameof(row), row, $"Row {row} has no prompt; rows 0 to {(Rows ?? long.MaxValue) - 1} have.");
        return _rowsPerPrompt == 0 ? _prompts[0] : _prompts[(int)(row / _rowsPerPrompt)];
    }

    /// <summary>The prompts of rows [start, start+count).</summary>
    /// <exception cref="ArgumentOutOfRangeException">Some of the rows have no prompt.</exception>
    public PromptRange Range(long start, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        var distinct = new List<string>();
        var places = new Dictionary<string, int>(StringComparer.Ordinal);
        var indices = new int[count];
        for (var i = 0; i < count; i++)
        {
            var prompt = Prompt(start + i);
            if (!places.TryGetValue(prompt, out indices[i]))
            {
                places.Add(prompt, indices[i] = distinct.Count);
                distinct.Add(prompt);
            }
        }

        return new PromptRange(distinct, indices);
    }

    static async Task<PromptSource> DrawnAsync(PromptDraw draw, string path, CancellationToken cancellation)
    {
        var count = draw.Prompts ?? throw new InvalidDataException("How many prompts to draw from the dataset is not said; set n_prompts.");
        var dataset = await PromptDataset.OpenAsync(path, cancellation: cancellation);
        var sample = await dataset.SampleAsync(draw.CondSeed, count, cancellation);
        return new PromptSource(sample.Prompts, draw.NoisesPerPrompt, string.Create(
            CultureInfo.InvariantCulture, $"prompt/draw;column={sample.ColumnDigest};seed={draw.CondSeed};rows={draw.NoisesPerPrompt}"));
    }

    static PromptSource OfFile(string path, PromptDraw draw)
    {
        var all = PromptFile.Read(path);
        if (draw.Prompts > all.Count)
            throw new InvalidDataException($"{draw.Prompts} prompts were asked for, but {path} holds {all.Count}.");
        return List(draw.Prompts is { } count && count < all.Count ? [.. all.Take(count)] : all, all, draw.NoisesPerPrompt);
    }

    static PromptSource List(IReadOnlyList<string> taken, IReadOnlyList<string> all, int noisesPerPrompt)
    {
        if (taken.Count == 0)
            throw new ArgumentException("A list of prompts has one at least.", nameof(taken));
        return new PromptSource(taken, noisesPerPrompt, string.Create(
            CultureInfo.InvariantCulture, $"prompt/list;texts={DigestOf(all)};rows={noisesPerPrompt}"));
    }

    /// <summary>Over the texts with their lengths, so that no two lists have the same bytes.</summary>
    static string DigestOf(IEnumerable<string> prompts)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var prompt in prompts)
        {
            var bytes = Encoding.UTF8.GetBytes(prompt);
            hash.AppendData(BitConverter.GetBytes(bytes.Length));
            hash.AppendData(bytes);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}

using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Taba.Diffusion.Randomness;

namespace Taba.Diffusion.Conditions;

/// <summary>Prompts drawn from a dataset, and the identity of what they were drawn from.</summary>
/// <param name="Prompts">The prompts, in the order drawn.</param>
/// <param name="ColumnDigest">
/// SHA-256 over the texts of the whole column, 64 lower-case hexadecimal digits; it does not depend on how they are cut into files.
/// </param>
public sealed record DatasetSample(IReadOnlyList<string> Prompts, string ColumnDigest);

/// <summary>
/// A dataset of prompts in parquet files, from which the paper's code draws: UCSC-VLAA/Recap-COCO-30K, split train, column
/// recaption. Memory holds one row group of that column, whatever else is in the files.
/// </summary>
public sealed class PromptDataset
{
    /// <summary>The column of Recap-COCO-30K that holds prompts.</summary>
    public const string DefaultColumn = "recaption";

    PromptDataset(string path, string column, IReadOnlyList<string> files, long count)
    {
        Path = path;
        Column = column;
        Files = files;
        Count = count;
    }

    /// <summary>The file or folder, as given.</summary>
    public string Path { get; }

    /// <summary>The column read.</summary>
    public string Column { get; }

    /// <summary>The parquet files, in order.</summary>
    public IReadOnlyList<string> Files { get; }

    /// <summary>The number of prompts.</summary>
    public long Count { get; }

    /// <summary>Finds the files and reads their row counts.</summary>
    /// <param name="path">
    /// A parquet file, a folder with train-*.parquet (or with a folder data that has them), or the dataset's folder in the Hugging
    /// Face cache.
    /// </param>
    /// <param name="column">The text column.</param>
    /// <param name="cancellation">Stops the reading.</param>
    /// <exception cref="InvalidDataException">A file is damaged or missing, or has no such column.</exception>
    /// <exception cref="IOException">The path is absent or cannot be read.</exception>
    public static async Task<PromptDataset> OpenAsync(string path, string column = DefaultColumn, CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentException.ThrowIfNullOrEmpty(column);
        var files = DatasetFiles.Find(path);
        // The parquet reader blocks.
        var count = await Task.Run(() => files.Sum(file => ParquetTextColumn.Count(file, column)), cancellation);
        if (count is 0 or > NumpyRandomState.MaxLength)
            throw new InvalidDataException($"{path} holds {count} prompts; 1 to {NumpyRandomState.MaxLength} are expected.");
        return new PromptDataset(path, column, files, count);
    }

    /// <summary>
    /// Draws without replacement what pandas' <c>Series.sample(count, random_state=condSeed)</c> draws; a shorter draw is the beginning
    /// of a longer one. Reads the column once.
    /// </summary>
    /// <param name="condSeed">0 to 2^32 - 1.</param>
    /// <param name="count">0 to <see cref="Count"/>.</param>
    /// <param name="cancellation">Stops the reading.</param>
    /// <exception cref="InvalidDataException">There are fewer prompts, the seed is not one of NumPy's, or a file is damaged.</exception>
    public async Task<DatasetSample> SampleAsync(long condSeed, int count, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        if (count > Count)
            throw new InvalidDataException($"{count} prompts were asked for, but {Path} holds {Count}; each is drawn once at most.");
        if (condSeed is < 0 or > uint.MaxValue)
            throw new InvalidDataException(
                $"The cond_seed {condSeed} must be between 0 and {uint.MaxValue} to draw prompts from a dataset, as NumPy demands.");

        var rows = new NumpyRandomState(condSeed).PermutationHead(Count, count);
        var slots = new int[count];
        for (var i = 0; i < count; i++)
            slots[i] = i;
        Array.Sort(rows, slots);
        return await Task.Run(() => Take(rows, slots, cancellation), cancellation);
    }

    /// <summary>The texts of ascending rows, each put in its slot, and the digest of all.</summary>
    DatasetSample Take(long[] rows, int[] slots, CancellationToken cancellation)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var (prompts, next, row) = (new string[rows.Length], 0, 0L);
        foreach (var file in Files)
        {
            foreach (var texts in ParquetTextColumn.Read(file, Column))
            {
                cancellation.ThrowIfCancellationRequested();
                foreach (var text in texts)
                    Append(hash, text);
                for (; next < rows.Length && rows[next] < row + texts.Length; next++)
                    prompts[slots[next]] = texts[(int)(rows[next] - row)];
                row += texts.Length;
            }
        }

        return row == Count
            ? new DatasetSample(prompts, Convert.ToHexStringLower(hash.GetHashAndReset()))
            : throw new InvalidDataException($"{Path} now holds {row} prompts instead of {Count}; it changed while it was read.");
    }

    static void Append(IncrementalHash hash, string text)
    {
        var bytes = ArrayPool<byte>.Shared.Rent(sizeof(int) + Encoding.UTF8.GetMaxByteCount(text.Length));
        var length = Encoding.UTF8.GetBytes(text, bytes.AsSpan(sizeof(int)));
        BinaryPrimitives.WriteInt32LittleEndian(bytes, length);
        hash.AppendData(bytes, 0, sizeof(int) + length);
        ArrayPool<byte>.Shared.Return(bytes);
    }
}

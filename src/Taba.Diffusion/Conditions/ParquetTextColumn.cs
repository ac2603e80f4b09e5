using System.Runtime.CompilerServices;
using Parquet;
using Parquet.Schema;

namespace Taba.Diffusion.Conditions;

/// <summary>One text column of a parquet file, read a row group at a time; other columns are not touched.</summary>
static class ParquetTextColumn
{
    /// <summary>The rows of a row group are held at once; writers put 100 to a million into one.</summary>
    const int MaxGroupRows = 1 << 22;

    const long MaxGroupBytes = 1L << 30;

    /// <summary>COR_E_IO.</summary>
    const int BareIOException = unchecked((int)0x80131620);

    /// <summary>EINVAL.</summary>
    const int InvalidArgument = 22;

    /// <summary>The number of rows that the file states. No data are read.</summary>
    internal static async Task<long> CountAsync(string path, string column, CancellationToken cancellation)
    {
        try
        {
            await using var reader = await OpenAsync(path, cancellation);
            var field = Field(reader, path, column);
            var rows = 0L;
            for (var i = 0; i < reader.RowGroupCount; i++)
            {
                using var group = reader.OpenRowGroupReader(i);
                rows += Rows(group, field, path, i);
            }

            return rows;
        }
        catch (Exception e) when (IsDamage(e))
        {
            throw Damaged(path, e);
        }
    }

    /// <summary>The texts, a row group at a time.</summary>
    /// <exception cref="InvalidDataException">The file is damaged, or lacks the column or a text of it.</exception>
    internal static async IAsyncEnumerable<string[]> ReadAsync(
        string path, string column, [EnumeratorCancellation] CancellationToken cancellation)
    {
        await using var reader = await GuardedAsync(() => OpenAsync(path, cancellation), path);
        var field = await GuardedAsync(() => Task.FromResult(Field(reader, path, column)), path);
        for (var i = 0; i < reader.RowGroupCount; i++)
            yield return await GuardedAsync(() => ReadGroupAsync(reader, field, path, i, cancellation), path);
    }

    static async Task<string[]> ReadGroupAsync(ParquetReader reader, DataField field, string path, int group, CancellationToken cancellation)
    {
        using var rowGroup = reader.OpenRowGroupReader(group);
        var texts = new string[Rows(rowGroup, field, path, group)];
        CheckPages(rowGroup, field, path, group);
        await rowGroup.ReadAsync(field, ((string?[])texts).AsMemory(), null, cancellation);
        var missing = Array.IndexOf(texts, null);
        return missing < 0
            ? texts
            : throw new InvalidDataException($"{path}: row {missing} of row group {group} has no text in the column '{field.Name}'.");
    }

    static async Task<ParquetReader> OpenAsync(string path, CancellationToken cancellation)
    {
        var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
        try
        {
            ParquetCheck.Footer(stream, path);
            stream.Seek(0, SeekOrigin.Begin);
            return await ParquetReader.CreateAsync(stream, leaveStreamOpen: false, cancellationToken: cancellation);
        }
        catch
        {
            await stream.DisposeAsync();
            throw;
        }
    }

    static DataField Field(ParquetReader reader, string path, string column)
    {
        var fields = reader.Schema.DataFields;
        var field = Array.Find(fields, field => field.Path.ToString() == column);
        if (field is null)
        {
            var names = string.Join(", ", fields.Take(10).Select(field => field.Path.ToString()));
            throw new InvalidDataException($"{path} has no column '{column}'; it has {names}{(fields.Length > 10 ? ", ..." : "")}.");
        }

        return (field.ClrType == typeof(ReadOnlyMemory<char>) || field.ClrType == typeof(string)) && field.MaxRepetitionLevel == 0
            ? field
            : throw new InvalidDataException($"{path}: the column '{column}' does not hold texts.");
    }

    static int Rows(ParquetRowGroupReader group, DataField field, string path, int index)
    {
        var chunk = group.GetMetadata(field)?.MetaData
            ?? throw new InvalidDataException($"{path}: row group {index} lacks the column '{field.Name}'.");
        if (group.RowCount is < 0 or > MaxGroupRows || chunk.NumValues != group.RowCount)
            throw new InvalidDataException($"{path}: row group {index} states {group.RowCount} rows and {chunk.NumValues} texts; they must agree and be at most {MaxGroupRows}.");
        if (chunk.TotalUncompressedSize is < 0 or > MaxGroupBytes)
            throw new InvalidDataException($"{path}: row group {index} states {chunk.TotalUncompressedSize} bytes of text; at most {MaxGroupBytes} are read.");
        return (int)group.RowCount;
    }

    static void CheckPages(ParquetRowGroupReader group, DataField field, string path, int index)
    {
        var chunk = group.GetMetadata(field)!.MetaData!;

        // A dictionary, where there is one, comes first; writers without one leave its place out or 0.
        var start = chunk.DictionaryPageOffset is { } dictionary and not 0 ? Math.Min(dictionary, chunk.DataPageOffset) : chunk.DataPageOffset;
        using var file = File.OpenRead(path);
        ParquetCheck.Pages(file, start, chunk.TotalCompressedSize, chunk.NumValues, $"{path}: row group {index}");
    }

    static async Task<T> GuardedAsync<T>(Func<Task<T>> read, string path)
    {
        try
        {
            return await read();
        }
        catch (Exception e) when (IsDamage(e))
        {
            throw Damaged(path, e);
        }
    }

    /// <summary>
    /// The parquet reader checks little: on damaged files it fails in many ways, all of which mean the same. It also throws bare
    /// IOExceptions, and seeks before the beginning; both are told from faults of the disk by their numbers.
    /// </summary>
    static bool IsDamage(Exception e) => e switch
    {
        InvalidDataException or OperationCanceledException or UnauthorizedAccessException => false,
        EndOfStreamException => true,
        IOException io => io.HResult is BareIOException or InvalidArgument,
        _ => true,
    };

    static InvalidDataException Damaged(string path, Exception e) => new($"{path} is damaged or no parquet file that can be read: {e.Message}", e);
}

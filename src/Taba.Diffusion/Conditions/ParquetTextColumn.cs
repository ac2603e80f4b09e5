using ParquetSharp;

namespace Taba.Diffusion.Conditions;

/// <summary>One text column of a parquet file, read a row group at a time; other columns are not touched.</summary>
static class ParquetTextColumn
{
    /// <summary>The rows of a row group are held at once; writers put 100 to a million into one.</summary>
    const int MaxGroupRows = 1 << 22;

    const long MaxGroupBytes = 1L << 30;

    /// <summary>The names of the columns, in order.</summary>
    /// <exception cref="InvalidDataException">The file is damaged.</exception>
    internal static IReadOnlyList<string> Names(string path) => Guarded(path, () =>
    {
        using var file = Open(path);
        return Names(file);
    });

    /// <summary>The rows that the file states; no data are read.</summary>
    /// <exception cref="InvalidDataException">The file is damaged, or lacks the column.</exception>
    internal static long Count(string path, string column) => Guarded(path, () =>
    {
        using var file = Open(path);
        var index = IndexOf(file, path, column);
        return Enumerable.Range(0, file.FileMetaData.NumRowGroups).Sum(i =>
        {
            using var group = file.RowGroup(i);
            return (long)Rows(group, index, path, i);
        });
    });

    /// <summary>The texts, a row group at a time.</summary>
    /// <exception cref="InvalidDataException">The file is damaged, or lacks the column or a text of it.</exception>
    internal static IEnumerable<string[]> Read(string path, string column)
    {
        using var file = Guarded(path, () => Open(path));
        var index = Guarded(path, () => IndexOf(file, path, column));
        for (var i = 0; i < file.FileMetaData.NumRowGroups; i++)
            yield return Guarded(path, () => ReadGroup(file, index, path, column, i));
    }

    static string[] ReadGroup(ParquetFileReader file, int index, string path, string column, int number)
    {
        using var group = file.RowGroup(number);
        var rows = Rows(group, index, path, number);
        using var chunk = group.Column(index);
        using var reader = chunk.LogicalReader<string>();
        var texts = reader.ReadAll(rows);
        var missing = Array.IndexOf(texts, null);
        return missing < 0
            ? texts
            : throw new InvalidDataException($"{path}: row {missing} of row group {number} has no text in the column '{column}'.");
    }

    static ParquetFileReader Open(string path)
    {
        // A file that cannot be read is told from one that is damaged.
        using (File.OpenHandle(path))
            return new ParquetFileReader(path);
    }

    static List<string> Names(ParquetFileReader file)
    {
        var schema = file.FileMetaData.Schema;
        return [.. Enumerable.Range(0, schema.NumColumns).Select(i => schema.Column(i).Path.ToDotString())];
    }

    static int IndexOf(ParquetFileReader file, string path, string column)
    {
        var names = Names(file);
        var index = names.IndexOf(column);
        if (index < 0)
            throw new InvalidDataException(
                $"{path} has no column '{column}'; it has {string.Join(", ", names.Take(10))}{(names.Count > 10 ? ", ..." : "")}.");
        var found = file.FileMetaData.Schema.Column(index);
        return found.LogicalType is StringLogicalType && found.MaxRepetitionLevel == 0
            ? index
            : throw new InvalidDataException($"{path}: the column '{column}' does not hold texts.");
    }

    static int Rows(RowGroupReader group, int column, string path, int number)
    {
        var rows = group.MetaData.NumRows;
        var bytes = group.MetaData.GetColumnChunkMetaData(column).TotalUncompressedSize;
        if (rows is < 0 or > MaxGroupRows)
            throw new InvalidDataException($"{path}: row group {number} states {rows} rows; at most {MaxGroupRows} are read.");
        return bytes is >= 0 and <= MaxGroupBytes
            ? (int)rows
            : throw new InvalidDataException($"{path}: row group {number} states {bytes} bytes of text; at most {MaxGroupBytes} are read.");
    }

    /// <summary>The parquet reader finds damage in many ways, all of which mean the same.</summary>
    static T Guarded<T>(string path, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is not (InvalidDataException or IOException or UnauthorizedAccessException))
        {
            throw new InvalidDataException($"{path} is damaged or no parquet file that can be read: {e.Message}", e);
        }
    }
}

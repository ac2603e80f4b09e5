using System.Collections.Immutable;
using System.Numerics.Tensors;
using Taba.Client.Folders;
using Taba.Diffusion.Tensors;
using Taba.Silo.Outputs;

namespace Taba.Client.Figures;

/// <summary>A tensor of a run, [N,C,H,W] or with steps before it, read a few rows at a time wherever the folder is.</summary>
sealed class FigureTensor : IDisposable
{
    /// <summary>Bytes of a reading, about: memory does not grow with the run.</summary>
    const long BytesAtOnce = 4 << 20;

    readonly TensorFile _file;
    readonly TensorReader _reader;
    readonly bool _hasSteps;

    FigureTensor(TensorFile file, TensorReader reader, ImmutableArray<int> steps)
    {
        (_file, _reader, Steps) = (file, reader, steps);
        _hasSteps = reader.Shape.Count == 5;
        var row = reader.Shape.Skip(_hasSteps ? 2 : 1).Select(length => checked((int)length)).ToList();
        Shape = new(row[0], row[1], row[2]);
    }

    /// <summary>C,H,W of a row.</summary>
    public StateShape Shape { get; }

    /// <summary>N.</summary>
    public int Rows => checked((int)_reader.Shape[_hasSteps ? 1 : 0]);

    /// <summary>The executed steps that were kept, from 0; empty of a tensor without steps.</summary>
    public ImmutableArray<int> Steps { get; }

    /// <summary>Rows of a reading.</summary>
    public int RowsAtOnce => (int)Math.Clamp(BytesAtOnce / sizeof(float) / Math.Max(1, Shape.Elements), 1, 4096);

    /// <summary>Null when the run has no such tensor, or none that figures are drawn of.</summary>
    /// <exception cref="Taba.Diffusion.Weights.WeightsFormatException">The file is damaged or hostile.</exception>
    public static FigureTensor? Open(FigureRun run, string name)
    {
        var listed = run.Tensors.FirstOrDefault(t => t.Name == name);
        if (OpenFile(run, listed, name) is not { } file)
            return null;
        var reader = file.Single(name);
        if (reader.Shape.Count is 4 or 5 && reader.Shape.All(length => length is > 0 and <= int.MaxValue) && IsReal(reader))
        {
            // Upstream's folders do not say which steps they have: all.
            ImmutableArray<int> steps = reader.Shape.Count == 4 ? []
                : listed is { Steps.IsEmpty: false } ? listed.Steps : [.. Enumerable.Range(0, (int)reader.Shape[0])];
            if (reader.Shape.Count == 4 || steps.Length == reader.Shape[0])
                return new(file, reader, steps);
        }
        file.Dispose();
        return null;
    }

    /// <summary>Reads rows of a tensor without steps, flat.</summary>
    public float[] Read(int row, int count) => FloatReader.Rows(_reader, row, count);

    /// <summary>Reads rows of one step, by its place in <see cref="Steps"/>.</summary>
    public float[] Read(int place, int row, int count) => FloatReader.Slice(_reader, place, row, count);

    /// <summary>False of rows that failed, which hold NaN: they count nowhere.</summary>
    public static bool IsFinite(ReadOnlySpan<float> row) => float.IsFinite(TensorPrimitives.Sum(row));

    /// <summary>The rows without those that failed.</summary>
    /// <param name="length">Of a row.</param>
    public static float[] FiniteRows(float[] rows, int length) => IsFinite(rows)
        ? rows
        : [.. rows.Chunk(length).Where(row => IsFinite(row)).SelectMany(row => row)];

    public void Dispose() => _file.Dispose();

    static TensorFile? OpenFile(FigureRun run, RunFile? listed, string name)
    {
        var file = listed is null ? null : Path.GetFileName(listed.File);
        if (file is not null && run.Folder.LocalPath(file) is null)
            return run.Folder.Open(file) is { } remote ? TensorFile.Open(file, remote.Length, remote.Read) : null;
        var path = file is not null ? run.Folder.LocalPath(file)
            : Path.GetDirectoryName(run.Folder.LocalPath(RunFolder.ManifestName)) is { } folder ? TensorFiles.Find(folder, name)
            : null;
        return path is not null && File.Exists(path) ? TensorFile.Open(path) : null;
    }

    static bool IsReal(TensorReader tensor) => tensor.Dtype is TorchSharp.torch.ScalarType.Float32
        or TorchSharp.torch.ScalarType.Float16 or TorchSharp.torch.ScalarType.BFloat16 or TorchSharp.torch.ScalarType.Float64;
}

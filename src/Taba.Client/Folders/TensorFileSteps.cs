using System.Collections;
using Taba.Diffusion.Metrics;
using Taba.Diffusion.Tensors;

namespace Taba.Client.Folders;

/// <summary>A [T,N,C,H,W] tensor file, a tensor a step, read by rows: it may be far larger than memory.</summary>
sealed class TensorFileSteps : IReadOnlyList<IMetricRows>, IDisposable
{
    readonly TensorFile _file;
    readonly Step[] _steps;

    TensorFileSteps(string path, TensorFile file, TensorReader reader)
    {
        _file = file;
        var shape = new StateShape((int)reader.Shape[2], (int)reader.Shape[3], (int)reader.Shape[4]);
        _steps = [.. Enumerable.Range(0, (int)reader.Rows).Select(step => new Step(path, reader, shape, step))];
    }

    public int Count => _steps.Length;

    public IMetricRows this[int index] => _steps[index];

    /// <returns>Null when the folder has no such tensor, or one of another rank.</returns>
    /// <exception cref="Taba.Diffusion.Weights.WeightsFormatException">The file is damaged or hostile.</exception>
    public static TensorFileSteps? Open(string folder, string name)
    {
        if (TensorFiles.Find(folder, name) is not { } path)
            return null;
        var file = TensorFile.Open(path);
        try
        {
            var reader = file.Single(name);
            if (reader.Shape.Count == 5 && reader.Rows > 0 && reader.Shape.Skip(2).All(size => size is > 0 and <= int.MaxValue))
                return new(path, file, reader);
        }
        catch
        {
            file.Dispose();
            throw;
        }
        file.Dispose();
        return null;
    }

    public IEnumerator<IMetricRows> GetEnumerator() => ((IEnumerable<IMetricRows>)_steps).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public void Dispose() => _file.Dispose();

    sealed class Step(string path, TensorReader reader, StateShape shape, int step) : IMetricRows
    {
        public string Identity => $"{path}[{step}]";

        public StateShape Shape => shape;

        public long Rows => reader.Shape[1];

        public int RowLength => (int)shape.Elements;

        public void Read(long first, Span<float> destination) =>
            FloatReader.Slice(reader, step, first, destination.Length / RowLength).CopyTo(destination);
    }
}

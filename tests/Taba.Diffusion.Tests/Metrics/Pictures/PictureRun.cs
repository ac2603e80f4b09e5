using Taba.Diffusion.Metrics;
using Taba.Diffusion.Metrics.Analyses;

namespace Taba.Diffusion.Tests.Metrics.Pictures;

/// <summary>A run of random pictures in memory, their values within an 8-bit step, so that rounding and cutting off agree.</summary>
sealed class PictureRun(int count, StateShape shape, int seed = 1) : IRunTensors
{
    readonly Dictionary<TensorRole, InMemory> _tensors = new()
    {
        [TensorRole.Images] = new($"images {seed}", count, shape, seed),
        [TensorRole.ReconstructedImages] = new($"reconstructed {seed}", count, shape, seed + 1),
    };

    public IReadOnlyList<string>? Prompts { get; init; }

    public IMetricRows? Tensor(TensorRole role) => _tensors.GetValueOrDefault(role);

    public string NameOf(TensorRole role) => role.ToString();

    /// <summary>The bytes of an image, channels innermost.</summary>
    public byte[] Bytes(TensorRole role, int row) => _tensors[role].Bytes(row);

    sealed class InMemory(string identity, int count, StateShape shape, int seed) : IMetricRows
    {
        readonly byte[][] _bytes = [.. Enumerable.Range(0, count).Select(row =>
        {
            var bytes = new byte[shape.Elements];
            new Random((seed * 1000) + row).NextBytes(bytes);
            return bytes;
        })];

        public string Identity => identity;

        public StateShape Shape => shape;

        public long Rows => count;

        public int RowLength => (int)shape.Elements;

        public byte[] Bytes(int row) => _bytes[row];

        public void Read(long first, Span<float> destination)
        {
            var plane = shape.Height * shape.Width;
            for (var i = 0; i < destination.Length; i++)
            {
                var (row, at) = ((int)first + (i / RowLength), i % RowLength);
                destination[i] = ((_bytes[row][(at % plane * 3) + (at / plane)] + 0.25f) / 127.5f) - 1;
            }
        }
    }
}

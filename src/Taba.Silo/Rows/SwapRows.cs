using Taba.Diffusion.Tensors;
using Taba.Storage.Manifests;
using Taba.Storage.Objects;

namespace Taba.Silo.Rows;

/// <summary>
/// Inversion step idx takes eps of the sampling step T-1-idx, or the state after sampling step T-2-idx; before the first
/// sampling step that is the noise (docs/upstream.md, section 7.1).
/// </summary>
abstract class SwapRows(StageSpec spec, NoiseSources noise) : IDisposable
{
    readonly int _offset = spec.Swap!.Kind == SwapKind.Eps ? 1 : 2;

    protected int RowBytes { get; } = checked((int)spec.Model.RowBytes);

    /// <summary>The row of a sample for a step, float32. Called off the engine's thread.</summary>
    public ReadOnlyMemory<byte> Row(int sample, int step)
    {
        var row = new byte[RowBytes];
        var sourceStep = spec.NumInferenceSteps - _offset - step;
        if (sourceStep >= 0)
            Read(sample, sourceStep, row);
        else
            ReadNoise(sample, row);
        return row;
    }

    public abstract void Dispose();

    protected abstract void Read(int sample, int step, Span<byte> row);

    void ReadNoise(int sample, Span<byte> row)
    {
        var rows = new RowRange(sample, sample + 1);
        switch (spec.Swap!.Noise)
        {
            case NoiseRows address:
                noise.Rows(address, NoiseStream.Initial, spec.Model, rows, row);
                break;
            case FileRows file:
                using (var tensor = TensorFile.Open(file.Path))
                    StateFile.ReadRows(tensor.Single("noise"), rows, row);
                break;
            default:
                throw new InvalidOperationException("Swap xt with K = T needs the initial noise, and the plan holds none.");
        }
    }
}

/// <summary>The predictions or states that a sampling stage kept.</summary>
sealed class StageSwapRows(StageSpec spec, NoiseSources noise, StageReader reader) : SwapRows(spec, noise)
{
    readonly TensorKinds _kind = spec.Swap!.Kind == SwapKind.Eps ? TensorKinds.Eps : TensorKinds.State;

    public override void Dispose() => reader.Dispose();

    protected override void Read(int sample, int step, Span<byte> row) => reader.ReadKept(_kind, step, new(sample, sample + 1), row);
}

/// <summary>An all_t_* file, [T,N,C,H,W].</summary>
sealed class FileSwapRows(StageSpec spec, NoiseSources noise, TensorFile file) : SwapRows(spec, noise)
{
    readonly TensorReader _tensor = file.Single("");

    public override void Dispose() => file.Dispose();

    protected override void Read(int sample, int step, Span<byte> row)
    {
        if (_tensor.Dtype == TorchSharp.torch.ScalarType.Float32)
        {
            _tensor.ReadSlice(step, sample, 1, row);
            return;
        }
        var stored = new byte[RowBytes / sizeof(float) * _tensor.ElementBytes];
        _tensor.ReadSlice(step, sample, 1, stored);
        FloatRows.ToFloat32(stored, _tensor.Dtype, row);
    }
}

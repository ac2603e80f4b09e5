using TorchSharp;
using static TorchSharp.torch;

namespace Taba.Diffusion.Engine;

/// <summary>
/// Brings to the host what is recorded of a step, and the states of rows whose segment ends with it. On a CPU whole tensors are
/// handed over as they are. Elsewhere the rows that leave are copied, in the background until somebody waits for the device.
/// </summary>
sealed class OutputCollector(Device device, int largestBatch)
{
    readonly bool _onCpu = device.type == DeviceType.CPU;
    readonly OutputPlace[] _epsPlaces = new OutputPlace[largestBatch];
    readonly OutputPlace[] _predXstartPlaces = new OutputPlace[largestBatch];
    readonly OutputPlace[] _statePlaces = new OutputPlace[largestBatch];

    /// <summary>The place of what leaves of row number <paramref name="row"/> of the last pass.</summary>
    public OutputPlace Place(TensorKinds kind, int row) => Places(kind)[row];

    /// <summary>Adds to <paramref name="output"/> what leaves of the rows of a pass.</summary>
    /// <param name="kind">One kind of tensor.</param>
    /// <param name="rows">The rows of the pass.</param>
    /// <param name="tensor">[B,C,H,W], B at least as many; null when the pass has none of the kind, which is recorded as zeros.</param>
    /// <param name="output">Takes the tensors over.</param>
    public void Collect(TensorKinds kind, List<Trajectory> rows, Tensor? tensor, OutputBatch output)
    {
        var places = Places(kind);
        var leaving = 0;
        foreach (var row in rows)
            leaving += Leaves(row, kind) ? 1 : 0;
        if (leaving == 0)
            return;

        if (tensor is null)
        {
            places.AsSpan(0, rows.Count).Fill(OutputPlace.Blank);
            return;
        }

        var packed = !_onCpu && leaving < rows.Count;
        var host = _onCpu ? tensor
            : packed ? tensor.index_select(0, Positions(rows, kind, leaving)).to(CPU, non_blocking: true)
            : tensor.to(CPU, non_blocking: true);
        output.Tensors.Add(host.DetachFromDisposeScope());
        for (int i = 0, position = 0; i < rows.Count; i++)
        {
            if (Leaves(rows[i], kind))
                places[i] = new OutputPlace(output.Tensors.Count - 1, packed ? position++ : i);
        }
    }

    static bool Leaves(Trajectory row, TensorKinds kind) =>
        (row.StepCaptures & kind) != 0 || (kind == TensorKinds.State && row.EndsSegment);

    OutputPlace[] Places(TensorKinds kind) =>
        kind == TensorKinds.Eps ? _epsPlaces : kind == TensorKinds.PredXstart ? _predXstartPlaces : _statePlaces;

    Tensor Positions(List<Trajectory> rows, TensorKinds kind, int leaving)
    {
        var positions = new long[leaving];
        for (int i = 0, position = 0; i < rows.Count; i++)
        {
            if (Leaves(rows[i], kind))
                positions[position++] = i;
        }
        return tensor(positions, device: device);
    }
}

using System.Diagnostics;
using System.Runtime.InteropServices;
using Taba.Diffusion.Models;
using Taba.Diffusion.Native;
using Taba.Diffusion.Sampling;
using TorchSharp;
using static TorchSharp.torch;

namespace Taba.Diffusion.Engine;

/// <summary>The source of a pass' prediction.</summary>
enum Pass
{
    Network,
    SwapEps,
    SwapXt,
}

/// <summary>
/// The tensor work of a turn. Owns the state [slots,C,H,W], float32, on the model's device. Used by the engine's thread
/// alone, in inference mode. A pass has at most <see cref="EngineOptions.LargestBatch"/> rows. A pass that throws leaves the
/// state as it was: writing it back is the last thing that is done.
/// </summary>
sealed class TurnExecutor : IDisposable
{
    static readonly long[] s_rowDims = [1, 2, 3];

    readonly IDenoiser _model;
    readonly IEvaluationJournal? _journal;
    readonly StateShape _shape;
    readonly Device _device;
    readonly bool _onCpu;
    readonly int _rowBytes;
    readonly Tensor _state;
    readonly Dictionary<int, BatchBuffers> _buffers = [];
    readonly StepNumbers[] _numbers;
    readonly float[] _timesteps;
    readonly EvaluationRecord[] _records;
    readonly bool[] _finite;
    readonly List<Trajectory> _networkRows = [];
    readonly TextTable? _texts;
    readonly ScalarType _stateType;

    public TurnExecutor(IDenoiser model, EngineOptions options)
    {
        _model = model;
        _journal = options.Journal;
        _shape = model.Shape;
        _device = model.Device;
        _onCpu = _device.type == DeviceType.CPU;
        // Rows are handed over as spans: one batch of them must stay below 2 GiB.
        if (_shape.Elements <= 0 || _shape.Elements * sizeof(float) * options.LargestBatch > int.MaxValue)
        {
            throw new ArgumentException(
                $"A batch of {options.LargestBatch} rows of {_shape} is larger than 2 GiB, the most that the engine handles; choose a "
                + "smaller one.");
        }
        _rowBytes = (int)(_shape.Elements * sizeof(float));
        _stateType = options.StatePrecision;
        _texts = model.Text is null ? null : new TextTable(_device, model.TextType);
        _numbers = new StepNumbers[options.LargestBatch];
        _timesteps = new float[options.LargestBatch];
        _records = new EvaluationRecord[options.LargestBatch];
        _finite = new bool[options.LargestBatch];
        Output = new OutputCollector(_device, options.LargestBatch);
        _state = zeros(_shape.Batch(options.SlotCount), dtype: ScalarType.Float32, device: _device).DetachFromDisposeScope();
    }

    public int RowBytes => _rowBytes;

    /// <summary>The rows of the last pass that leave the device.</summary>
    public OutputCollector Output { get; }

    /// <summary>Which rows of the last pass are finite, prediction and state.</summary>
    public ReadOnlySpan<bool> Finite => _finite;

    /// <summary>Stopwatch ticks of the last pass within the network.</summary>
    public long NetworkTicks { get; private set; }

    /// <summary>Writes the initial row of <paramref name="trajectory"/> into its slot, diffused forward where it asks for that.</summary>
    public void Upload(Trajectory trajectory)
    {
        _texts?.Hold(trajectory);
        trajectory.HoldsText = _texts is not null;
        using var scope = NewDisposeScope();
        var slot = _state.select(0, trajectory.Slot);
        var host = _onCpu ? slot : empty([_shape.Channels, _shape.Height, _shape.Width], dtype: ScalarType.Float32);
        var row = host.bytes;
        trajectory.InitialState.Span.CopyTo(row);
        var x = MemoryMarshal.Cast<byte, float>(row);
        StateRounding.Apply(x, _stateType);
        if (trajectory.ForwardNoise is { } noise)
            ForwardDiffusion.Apply(x, MemoryMarshal.Cast<byte, float>(noise.Span), trajectory.ForwardAlphaBar, x, _stateType);
        if (!_onCpu)
            slot.copy_(host);
    }

    /// <summary>Lets go of what a trajectory holds on the device besides its slot.</summary>
    public void Release(Trajectory trajectory)
    {
        if (!trajectory.HoldsText)
            return;
        trajectory.HoldsText = false;
        _texts!.Release(trajectory);
    }

    /// <summary>Moves <paramref name="rows"/> by one step.</summary>
    /// <param name="pass">What gives the prediction.</param>
    /// <param name="rows">Resolved for that step.</param>
    /// <param name="shape">Rows of the forward pass, padding included.</param>
    /// <param name="output">Receives the tensors that leave; <see cref="Output"/> tells where in them.</param>
    public void Execute(Pass pass, List<Trajectory> rows, int shape, OutputBatch output)
    {
        NetworkTicks = 0;
        switch (pass)
        {
            case Pass.Network:
                Evaluate(rows, shape, output);
                break;
            case Pass.SwapEps:
                SwapEps(rows, output);
                break;
            case Pass.SwapXt:
                SwapXt(rows, output);
                break;
        }
    }

    void Evaluate(List<Trajectory> rows, int shape, OutputBatch output)
    {
        using var scope = NewDisposeScope();
        // The rows without condition that guidance needs stand behind the others.
        _networkRows.Clear();
        _networkRows.AddRange(rows);
        foreach (var row in rows)
        {
            if (row.NetworkRows > 1)
                _networkRows.Add(row);
        }
        var buffers = Prepare(_networkRows, shape);
        buffers.SetClasses(_networkRows, rows.Count, _model.NullClass);
        Record(_networkRows);

        var x = _state.index_select(0, buffers.Index);
        var conditions = _texts?.Batch(_networkRows, rows.Count, shape) ?? buffers.Classes;
        var started = Stopwatch.GetTimestamp();
        var eps = _model.PredictEps(x, buffers.Timesteps, conditions);
        if (eps.dtype != ScalarType.Float32)
            eps = eps.to(ScalarType.Float32);
        if (!eps.is_contiguous())
            eps = eps.contiguous();
        if (_onCpu)
            NetworkTicks = Stopwatch.GetTimestamp() - started;

        if (_networkRows.Count > rows.Count)
            eps = Guide(eps, rows);
        Finish(rows, buffers, Ddim.Step(x, eps, buffers.Numbers, _stateType), eps, output);
        if (!_onCpu)
            NetworkTicks = Stopwatch.GetTimestamp() - started;
    }

    /// <summary>
    /// Runs the network on zeros, at the step of <paramref name="like"/> and under its conditions. Nothing is kept, and no journal
    /// is told.
    /// </summary>
    public void Probe(Trajectory like, int shape)
    {
        using var scope = NewDisposeScope();
        List<Trajectory> rows = like.NetworkRows > 1 ? [like, like] : [like];
        var buffers = Prepare(rows, shape);
        buffers.SetClasses(rows, guidedFrom: 1, _model.NullClass);
        var x = zeros(_shape.Batch(shape), dtype: ScalarType.Float32, device: _device);
        var eps = _model.PredictEps(x, buffers.Timesteps, _texts?.Batch(rows, 1, shape) ?? buffers.Classes);
        // On CUDA an error shows only when somebody waits.
        _ = eps.sum().to(ScalarType.Float32).cpu().item<float>();
    }

    void SwapEps(List<Trajectory> rows, OutputBatch output)
    {
        using var scope = NewDisposeScope();
        var buffers = Prepare(rows, rows.Count);
        var x = _state.index_select(0, buffers.Index);
        var eps = SwapRows(rows);
        Finish(rows, buffers, Ddim.Step(x, eps, buffers.Numbers, _stateType), eps, output);
    }

    void SwapXt(List<Trajectory> rows, OutputBatch output)
    {
        using var scope = NewDisposeScope();
        var buffers = Buffers(rows.Count);
        buffers.SetSlots(rows);
        var next = SwapRows(rows);
        var health = next.sum(s_rowDims);
        Collect(rows, next, eps: null, predXstart: null, output);
        Commit(rows, buffers, next, health);
    }

    /// <summary>Hands over what leaves, and writes the new states back.</summary>
    void Finish(List<Trajectory> rows, BatchBuffers buffers, in DdimResult result, Tensor eps, OutputBatch output)
    {
        // Eps is looked at too: an infinite one is hidden by the clamp of x̂0.
        var health = eps.sum(s_rowDims).add(result.XNext.sum(s_rowDims), Scalars.One);
        Collect(rows, result.XNext, result.EpsUsed, result.PredXstart, output);
        Commit(rows, buffers, result.XNext, health);
    }

    /// <summary>Combines the predictions of guided rows; those of the others stay as they are.</summary>
    /// <param name="eps">[B,C,H,W], the rows without condition behind <paramref name="rows"/>.</param>
    /// <param name="rows">The trajectories of the pass.</param>
    Tensor Guide(Tensor eps, List<Trajectory> rows)
    {
        using var scope = NewDisposeScope();
        var guided = rows.Select((row, i) => (row, i)).Where(item => item.row.NetworkRows > 1).ToArray();
        var places = torch.tensor(guided.Select(item => (long)item.i).ToArray(), device: _device);
        var scales = torch.tensor(guided.Select(item => (float)item.row.Guidance).ToArray(), device: _device).view(-1, 1, 1, 1);
        var combined = Guidance.Combine(eps.index_select(0, places), eps.narrow(0, rows.Count, guided.Length), scales);
        return eps.index_copy(0, places, combined).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        foreach (var buffers in _buffers.Values)
            buffers.Dispose();
        _texts?.Dispose();
        _state.Dispose();
    }

    BatchBuffers Prepare(List<Trajectory> rows, int shape)
    {
        for (var i = 0; i < rows.Count; i++)
        {
            _numbers[i] = rows[i].Numbers;
            _timesteps[i] = rows[i].Timestep;
        }
        // Padding does what the first row does: real numbers, and the same path through the update.
        _numbers.AsSpan(rows.Count, shape - rows.Count).Fill(_numbers[0]);
        _timesteps.AsSpan(rows.Count, shape - rows.Count).Fill(_timesteps[0]);

        var buffers = Buffers(shape);
        buffers.SetSlots(rows);
        buffers.SetNumbers(_numbers.AsSpan(0, shape), _timesteps.AsSpan(0, shape));
        return buffers;
    }

    BatchBuffers Buffers(int shape)
    {
        if (!_buffers.TryGetValue(shape, out var buffers))
            _buffers[shape] = buffers = new BatchBuffers(shape, _device, _stateType, _model.ClassCount is not null);
        return buffers;
    }

    void Record(List<Trajectory> rows)
    {
        if (_journal is null)
            return;
        for (var i = 0; i < rows.Count; i++)
            _records[i] = new EvaluationRecord(rows[i].Tag, rows[i].NextStep);
        try
        {
            _journal.Evaluating(_records.AsSpan(0, rows.Count));
        }
        catch (Exception error)
        {
            throw new JournalException(error);
        }
        Array.Clear(_records);
    }

    Tensor SwapRows(List<Trajectory> rows)
    {
        var host = empty(_shape.Batch(rows.Count), dtype: ScalarType.Float32);
        var bytes = host.bytes;
        for (var i = 0; i < rows.Count; i++)
            rows[i].SwapRows.Peek().Span.CopyTo(bytes[(i * _rowBytes)..]);
        StateRounding.Apply(MemoryMarshal.Cast<byte, float>(bytes), _stateType);
        return _onCpu ? host : host.to(_device);
    }

    void Collect(List<Trajectory> rows, Tensor next, Tensor? eps, Tensor? predXstart, OutputBatch output)
    {
        Output.Collect(TensorKinds.Eps, rows, eps, output);
        Output.Collect(TensorKinds.PredXstart, rows, predXstart, output);
        Output.Collect(TensorKinds.State, rows, next, output);
    }

    void Commit(List<Trajectory> rows, BatchBuffers buffers, Tensor next, Tensor health)
    {
        var count = rows.Count;
        _state.index_copy_(0, buffers.IndexOf(count), buffers.Rows == count ? next : next.narrow(0, 0, count));
        var sums = MemoryMarshal.Cast<byte, float>((_onCpu ? health : health.cpu()).bytes);
        for (var i = 0; i < count; i++)
            _finite[i] = float.IsFinite(sums[i]);
    }
}

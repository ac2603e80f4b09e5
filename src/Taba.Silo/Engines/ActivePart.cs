using Taba.Silo.Rows;
using System.Diagnostics;
using Taba.Diffusion.Models;
using Taba.Diffusion.Schedules;
using Taba.Grains.Models;
using Taba.Grains.Stages;
using Taba.Storage.Manifests;
using Taba.Storage.Objects;

namespace Taba.Silo.Engines;

/// <summary>
/// The host-side tensors of one attempt at a part: inputs, results, and kept tensors in scratch files so that memory does not
/// grow with the number of steps.
/// </summary>
sealed class ActivePart : IDisposable
{
    readonly PartCaptures _captures;
    readonly long[] _evaluations;
    readonly long[] _computingTicks;
    readonly EngineClaim? _claim;
    readonly IDiffusionSchedule? _schedule;
    long _begun;
    int _givenUp;
    int _disposed;

    ActivePart(PartLease lease, EngineClaim? claim, IDiffusionSchedule? schedule, RowBuffers buffers)
    {
        Lease = lease;
        _claim = claim;
        Device = claim?.Model.Device ?? "";
        _schedule = schedule;
        RowBytes = checked((int)lease.Spec.Model.RowBytes);
        ResultBytes = checked((int)lease.Spec.ResultShape.Bytes);
        // What is measured is read in a stream, and what is kept of it has a size of its own.
        var rows = lease.Spec.Measure is null ? lease.Rows.Count : 0;
        Inputs = buffers.Rent(checked(rows * RowBytes));
        Results = buffers.Rent(checked(rows * ResultBytes));
        Starts = new SampleState[lease.Rows.Count];
        _evaluations = new long[lease.Rows.Count];
        _computingTicks = new long[lease.Rows.Count];
        _captures = new(lease.Keep, lease.Rows, RowBytes);
    }

    public PartLease Lease { get; }

    /// <summary>The engine that steps its rows; null when the stage has no steps.</summary>
    public ModelAddress? Model => _claim?.Model;

    /// <summary>Name of the device that computes its rows; empty before one is chosen.</summary>
    public string Device { get; set; }

    public IDiffusionSchedule Schedule =>
        _schedule ?? throw new InvalidOperationException($"Part {Lease.Attempt} has no steps, and so no schedule.");

    /// <summary>Bytes of a float32 row of the state, which is also the input.</summary>
    public int RowBytes { get; }

    /// <summary>Bytes of a float32 row of the result.</summary>
    public int ResultBytes { get; }

    /// <summary>The stage's input, float32 rows.</summary>
    public byte[] Inputs { get; }

    /// <summary>The state with which each row begins: a row of <see cref="Inputs"/>, or a checkpoint.</summary>
    public SampleState[] Starts { get; }

    /// <summary>ε of forward replacement, float32 rows; null when nothing is replaced.</summary>
    public byte[]? ForwardNoise { get; set; }

    /// <summary>Class ids; null when the model takes none.</summary>
    public long[]? Labels { get; set; }

    /// <summary>The prompt of each row, embedded; null when the model takes none.</summary>
    public TextEmbedding[]? Prompts { get; set; }

    /// <summary>The negative prompt, embedded; null when rows are not guided by text.</summary>
    public TextEmbedding? NullPrompt { get; set; }

    /// <summary>True predictions or states; null when nothing is swapped.</summary>
    public SwapRows? Swap { get; set; }

    /// <summary>What is kept of the steps, so far in scratch files.</summary>
    public PartCaptures Captures => _captures;

    /// <summary>Finished rows, float32.</summary>
    public byte[] Results { get; }

    /// <summary>What analyses kept of the rows; null in a stage that makes rows.</summary>
    public ReadOnlyMemory<byte>? Sums { get; set; }

    /// <summary>The part's span, which ends with it; null when nobody traces.</summary>
    public Activity? Span { get; set; }

    /// <summary>A part whose rows step through an engine, which was claimed for it.</summary>
    public static ActivePart WithSteps(PartLease lease, EngineClaim claim, IDiffusionSchedule schedule, RowBuffers buffers) =>
        new(lease, claim, schedule, buffers);

    /// <summary>A part whose rows pass through an autoencoder, or are measured.</summary>
    public static ActivePart WithoutSteps(PartLease lease, RowBuffers buffers) => new(lease, null, null, buffers);

    /// <summary>True the first time: one of its samples found that the part cannot go on, and gives it back for all.</summary>
    public bool TryGiveUp() => Interlocked.Exchange(ref _givenUp, 1) == 0;

    /// <summary>True once it is over.</summary>
    public bool IsDisposed => Volatile.Read(ref _disposed) == 1;

    public Direction Direction => Lease.Spec.Kind == StageKind.Invert ? Direction.Inversion : Direction.Sampling;

    /// <summary>
    /// Network evaluations so far, for progress: those of segments under way count from their begin, for a segment may take long.
    /// What was tried twice counts twice, but never as more than the part takes.
    /// </summary>
    public long Progress => Math.Min(
        (long)Lease.Rows.Count * Lease.Spec.EvaluationsPerRow, Math.Max(_evaluations.Sum(), Interlocked.Read(ref _begun)));

    /// <summary>Notes evaluations that have begun.</summary>
    public void CountBegun(long count) => Interlocked.Add(ref _begun, count);

    public int Row(int sample) => sample - Lease.Rows.Start;

    public Memory<byte> ResultOf(int sample) => Results.AsMemory(Row(sample) * ResultBytes, ResultBytes);

    public long EvaluationsOf(int sample) => Interlocked.Read(ref _evaluations[Row(sample)]);

    public long AddEvaluations(int sample, long count) => Interlocked.Add(ref _evaluations[Row(sample)], count);

    /// <summary>The time that devices have given to a row, by whichever attempt.</summary>
    public TimeSpan ComputingOf(int sample) => new(Interlocked.Read(ref _computingTicks[Row(sample)]));

    public TimeSpan AddComputing(int sample, TimeSpan time) => new(Interlocked.Add(ref _computingTicks[Row(sample)], time.Ticks));

    public void Dispose()
    {
        // A part may be stopped while it is published.
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            _claim?.Dispose();
            Span?.Dispose();
        }
        _captures.Dispose();
        Swap?.Dispose();
    }
}

/// <summary>The state with which a row begins.</summary>
/// <param name="Step">The first step to execute.</param>
/// <param name="State">The float32 state before it.</param>
/// <param name="FromCheckpoint">True when the state stands past the stage's first step.</param>
readonly record struct SampleState(int Step, ReadOnlyMemory<byte> State, bool FromCheckpoint);

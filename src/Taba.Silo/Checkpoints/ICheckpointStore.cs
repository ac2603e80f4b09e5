using System.Collections.Immutable;

namespace Taba.Silo.Checkpoints;

/// <summary>
/// The state of samples in flight. It is written behind, by one writer for each silo, into append-only segment files. A crash loses
/// at most what the last drain had not taken.
/// </summary>
public interface ICheckpointStore : IAsyncDisposable
{
    /// <summary>Queues a checkpoint; waits only when the disk is slower than the device. The arrays must not change afterwards.</summary>
    ValueTask PutAsync(CheckpointRecord record, CancellationToken cancellationToken);

    /// <summary>
    /// Reads what earlier workers left of these rows, so that <see cref="Find"/> finds it. A store that only one silo ever uses has
    /// nothing to read.
    /// </summary>
    /// <param name="earlierWorkers">Workers that had some of the rows before, as leases name them.</param>
    ValueTask AdoptAsync(string stageKey, RowRange rows, ImmutableArray<string> earlierWorkers, CancellationToken cancellationToken) =>
        ValueTask.CompletedTask;

    /// <summary>The newest checkpoint of a sample with the captures of all its records, or null.</summary>
    Checkpoint? Find(string stageKey, int sample);

    /// <summary>Rows are published: their checkpoints may go.</summary>
    void Forget(string stageKey, RowRange rows);

    /// <summary>Returns when everything queued before is on disk.</summary>
    Task FlushAsync(CancellationToken cancellationToken);
}

/// <summary>The end of a segment of one sample: the state, and what was captured since the last record, made durable together.</summary>
/// <param name="KeepDigest">Names the capture selection: a checkpoint made for another one does not have the tensors.</param>
/// <param name="NextStep">The step to go on with.</param>
/// <param name="Evaluations">Evaluations of this sample so far, in this and earlier records.</param>
/// <param name="State">float32 row, [C,H,W].</param>
/// <param name="Captures">Captured rows of the segment's steps.</param>
public sealed record CheckpointRecord(
    string StageKey, int Sample, string KeepDigest, int NextStep, long Evaluations, ReadOnlyMemory<byte> State,
    IReadOnlyList<CapturedRow> Captures);

/// <summary>One captured tensor of one step of one sample; float32 row.</summary>
public readonly record struct CapturedRow(int Step, TensorKinds Kind, ReadOnlyMemory<byte> Row);

/// <summary>A sample's newest checkpoint, read back.</summary>
public sealed record Checkpoint(
    string KeepDigest, int NextStep, long Evaluations, ReadOnlyMemory<byte> State, IReadOnlyList<CapturedRow> Captures);

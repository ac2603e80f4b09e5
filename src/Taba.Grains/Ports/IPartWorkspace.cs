using System.Collections.Immutable;
using Taba.Grains.Faults;
using Taba.Grains.Models;
using Taba.Grains.Stages;

namespace Taba.Grains.Ports;

/// <summary>
/// Keeps the tensors of the parts that a silo computes: inputs before, results while, objects and manifest after.
/// Grains name rows; the workspace holds bytes.
/// </summary>
public interface IPartWorkspace
{
    /// <summary>
    /// Loads the model, the part's input rows and its checkpoints; rows of a stage without steps pass through its autoencoder here.
    /// </summary>
    Task<PreparedPart> PrepareAsync(PartLease lease, CancellationToken cancellationToken);

    /// <summary>Writes the part's objects and publishes its manifest create-if-absent; rows that failed are left out.</summary>
    Task<PublishedPart> PublishAsync(PartAttempt attempt, ImmutableArray<SampleFailure> failures, CancellationToken cancellationToken);

    /// <summary>Forgets an attempt and deletes what it wrote. Idempotent.</summary>
    void Discard(PartAttempt attempt);

    /// <summary>This silo ends: it refuses what it has not begun, and that is no fault of a part.</summary>
    bool Draining => false;

    /// <summary>Whose fault it is that an attempt cannot go on, as far as this silo can tell.</summary>
    Fault Blame(PartAttempt attempt, Exception exception);

    /// <summary>Network evaluations of an attempt so far, those behind its checkpoints included.</summary>
    long Evaluations(PartAttempt attempt);
}

/// <summary>A part that is ready.</summary>
/// <param name="Starts">For each row that is not complete the step where it goes on.</param>
/// <param name="Failures">Rows that could not be made.</param>
/// <param name="Model">The engine that steps its rows; null when there are no steps.</param>
public sealed record PreparedPart(ImmutableArray<SampleStart> Starts, ImmutableArray<SampleFailure> Failures, ModelAddress? Model);

/// <summary>Rows that are published after an attempt at them.</summary>
/// <param name="All">They: this attempt's, or those of one that was quicker.</param>
/// <param name="Ours">Those whose bytes are this attempt's.</param>
public readonly record struct PublishedPart(RowSet All, RowSet Ours);

/// <summary>The step at which a row of a part begins: its stage's first, or a checkpoint's.</summary>
[GenerateSerializer, Immutable, Alias("taba.SampleStart")]
public readonly record struct SampleStart(int Sample, int Step);

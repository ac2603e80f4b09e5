using System.Runtime.InteropServices;
using Taba.Diffusion;
using Taba.Diffusion.Sampling;
using Taba.Diffusion.Tensors;
using Taba.Grains.Stages;
using Taba.Silo.Checkpoints;
using Taba.Silo.Rows;
using Taba.Silo.Storage;

namespace Taba.Silo.Engines;

/// <summary>Fills a part with what its rows begin with: inputs, forward noise, class ids, swap rows, checkpoints.</summary>
sealed class PartPreparation(
    ITensorStore store, ICheckpointStore checkpoints, NoiseSources noise, RecentResults recent, PartConditions conditions)
{
    public async Task FillAsync(ActivePart part, CancellationToken cancellationToken)
    {
        var lease = part.Lease;
        foreach (var kind in lease.Keep.Kinds)
            part.OpenCapture(kind, store.ScratchPath(lease.Attempt, $"raw_{kind.ToString().ToLowerInvariant()}"));
        await ReadInputAsync(lease, part.Inputs, cancellationToken);
        if (!lease.EarlierWorkers.IsEmpty)
            await checkpoints.AdoptAsync(lease.Attempt.StageKey, lease.Rows, lease.EarlierWorkers, cancellationToken);
        for (var row = 0; row < lease.Rows.Count; row++)
        {
            part.Starts[row] = FromCheckpoint(part, lease.Rows.Start + row)
                ?? new SampleState(lease.Spec.FirstStep, part.Inputs.AsMemory(row * part.RowBytes, part.RowBytes), FromCheckpoint: false);
        }
        if (lease.Spec.Forward is { } forward)
        {
            part.ForwardNoise = new byte[part.Inputs.Length];
            noise.Rows(forward.Noise, NoiseStream.Forward, lease.Spec.Model, lease.Rows, part.ForwardNoise);
            if (lease.Spec.FirstStep == lease.Spec.NumInferenceSteps)
                ForwardOnly(part, forward);
        }
        await conditions.FillAsync(part, cancellationToken);
        part.Swap = lease.Spec.Swap?.Source switch
        {
            null => null,
            StageRows source => new StageSwapRows(lease.Spec, noise, await StageReader.OpenAsync(store, source.Key, cancellationToken)),
            FileRows file => new FileSwapRows(lease.Spec, noise, TensorFile.Open(file.Path)),
            var other => throw new InvalidOperationException($"Swap rows cannot come from {other}."),
        };
    }

    /// <summary>K = T: every step is replaced, and what forward diffusion gives is the result.</summary>
    static void ForwardOnly(ActivePart part, ForwardSetting forward) => ForwardDiffusion.Apply(
        MemoryMarshal.Cast<byte, float>(part.Inputs), MemoryMarshal.Cast<byte, float>(part.ForwardNoise),
        part.Schedule.ForwardAlphaBar(forward.Before),
        MemoryMarshal.Cast<byte, float>(part.Results.AsSpan()), part.Lease.Spec.Precision.State.ToScalarType());

    /// <summary>Reads the input rows of a part as float32.</summary>
    public async Task ReadInputAsync(PartLease lease, byte[] rows, CancellationToken cancellationToken)
    {
        switch (lease.Spec.Input)
        {
            case NoiseRows address:
                noise.Rows(address, NoiseStream.Initial, lease.Spec.Model, lease.Rows, rows);
                break;
            case FileRows given:
                using (var file = TensorFile.Open(given.Path))
                    StateFile.ReadRows(file.Single("samples"), lease.Rows, rows);
                break;
            case ImageRows pictures:
                PictureRows.Read(pictures, lease.Rows, rows);
                break;
            case StageRows stage:
                if (recent.TryRead(stage.Key, lease.Rows, rows))
                    break;
                using (var reader = await StageReader.OpenAsync(store, stage.Key, cancellationToken))
                    reader.ReadResult(lease.Rows, rows);
                break;
        }
    }

    SampleState? FromCheckpoint(ActivePart part, int sample)
    {
        var key = part.Lease.Attempt.StageKey;
        if (checkpoints.Find(key, sample) is not { } checkpoint
            || checkpoint.KeepDigest != part.KeepDigest
            || checkpoint.State.Length != part.RowBytes
            || checkpoint.NextStep <= part.Lease.Spec.FirstStep || checkpoint.NextStep > part.Lease.Spec.NumInferenceSteps
            || !HasAllCaptures(part, checkpoint))
        {
            return null;
        }
        foreach (var row in checkpoint.Captures)
            part.WriteCapture(sample, row.Step, row.Kind, row.Row.Span);
        part.AddEvaluations(sample, checkpoint.Evaluations);
        part.CountBegun(checkpoint.Evaluations);
        if (checkpoint.NextStep == part.Lease.Spec.NumInferenceSteps)
            checkpoint.State.CopyTo(part.ResultOf(sample));
        return new SampleState(checkpoint.NextStep, checkpoint.State, FromCheckpoint: true);
    }

    /// <summary>
    /// Exactly what the part keeps of the steps behind the checkpoint. A record of an attempt that had lost its lease may
    /// continue another attempt's chain badly; a gap would be published as zeros.
    /// </summary>
    static bool HasAllCaptures(ActivePart part, Checkpoint checkpoint)
    {
        var spec = part.Lease.Spec;
        var wanted = part.Lease.Keep.Kinds
            .SelectMany(kind => part.Lease.Keep.Steps(kind).Where(step => step >= spec.FirstStep && step < checkpoint.NextStep).Select(
                step => (step, kind)))
            .ToHashSet();
        return checkpoint.Captures.All(c => c.Row.Length == part.RowBytes) && wanted.SetEquals(
            checkpoint.Captures.Select(c => (c.Step, c.Kind)));
    }
}

using Taba.Silo.Engines;
using System.Runtime.InteropServices;
using Taba.Diffusion;
using Taba.Diffusion.Sampling;
using Taba.Diffusion.Tensors;
using Taba.Grains.Stages;
using Taba.Storage.Checkpoints;
using Taba.Silo.Rows;
using Taba.Storage.Manifests;
using Taba.Storage.Objects;

namespace Taba.Silo.Parts;

/// <summary>Fills a part with what its rows begin with: inputs, forward noise, class ids, swap rows, checkpoints.</summary>
sealed class PartPreparation(
    TensorStore store, PartCheckpoints checkpoints, NoiseSources noise, RecentResults recent, PartConditions conditions)
{
    public async Task FillAsync(ActivePart part, CancellationToken cancellationToken)
    {
        var lease = part.Lease;
        foreach (var kind in lease.Keep.Kinds)
            part.Captures.Open(kind, store.ScratchPath(lease.Attempt, PartCaptures.FileOf(lease.Keep, kind)));
        await ReadInputAsync(lease, part.Inputs, cancellationToken);
        await BeginAsync(part, cancellationToken);
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
            StageRows source => new StageSwapRows(
                lease.Spec, noise, await StageReader.OpenAsync(store, source.Key, lease.Rows, cancellationToken)),
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
                PictureRows.Read(PictureRows.Open(pictures), lease.Rows, rows);
                break;
            case StageRows stage:
                if (recent.TryRead(stage.Key, lease.Rows, rows))
                    break;
                using (var reader = await StageReader.OpenAsync(store, stage.Key, lease.Rows, cancellationToken))
                    reader.ReadResult(lease.Rows, rows);
                break;
        }
    }

    /// <summary>
    /// The state with which each row begins: the furthest that an earlier attempt left, else its input. What a part keeps of the steps
    /// before a checkpoint lies in scratch files: where they are not, on another machine, the row begins anew.
    /// </summary>
    async Task BeginAsync(ActivePart part, CancellationToken cancellationToken)
    {
        var (lease, spec) = (part.Lease, part.Lease.Spec);
        var begun = new Dictionary<int, SampleCheckpoint>();
        foreach (var earlier in lease.EarlierAttempts)
        {
            foreach (var (sample, left) in await checkpoints.ReadAsync([earlier.Attempt], lease.Rows, part.RowBytes, cancellationToken))
            {
                if (left.NextStep > spec.FirstStep && left.NextStep <= spec.NumInferenceSteps
                    && (!begun.TryGetValue(sample, out var known) || known.NextStep < left.NextStep)
                    && part.Captures.TryAdopt(
                        name => store.FindScratch(earlier.Attempt, name), earlier.Rows, sample, new(spec.FirstStep, left.NextStep)))
                    begun[sample] = left;
            }
        }
        for (var row = 0; row < lease.Rows.Count; row++)
        {
            part.Starts[row] = begun.TryGetValue(lease.Rows.Start + row, out var checkpoint)
                ? FromCheckpoint(part, checkpoint)
                : new SampleState(spec.FirstStep, part.Inputs.AsMemory(row * part.RowBytes, part.RowBytes), FromCheckpoint: false);
        }
        checkpoints.Open(lease.Attempt, begun.Values);
    }

    static SampleState FromCheckpoint(ActivePart part, SampleCheckpoint checkpoint)
    {
        part.AddEvaluations(checkpoint.Sample, checkpoint.Evaluations);
        part.AddComputing(checkpoint.Sample, checkpoint.Computing);
        part.CountBegun(checkpoint.Evaluations);
        if (checkpoint.NextStep == part.Lease.Spec.NumInferenceSteps)
            checkpoint.State.CopyTo(part.ResultOf(checkpoint.Sample));
        return new SampleState(checkpoint.NextStep, checkpoint.State, FromCheckpoint: true);
    }
}

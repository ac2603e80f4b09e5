using System.Collections.Immutable;
using System.Security.Cryptography;
using Taba.Grains.Faults;
using Taba.Grains.Models;
using Taba.Grains.Placement;
using Taba.Grains.Ports;
using Taba.Grains.Stages;
using Taba.Silo.Faults;
using Taba.Simulation.Checks;
using Taba.Simulation.Cluster;
using Taba.Simulation.Storage;
using Taba.Silo.Parts;
using Taba.Storage.Checkpoints;
using Taba.Storage.Manifests;
using Taba.Storage.Objects;

namespace Taba.Simulation.Work;

/// <summary>
/// Does with parts what the real workspace does, over the real store and real checkpoints, with numbers in place of tensors.
/// </summary>
sealed class SimWorkspace(
    SimSilo silo, SimParts parts, SimEngines engines, TensorStore store, IObjectStore objects, PartCheckpoints checkpoints, LostInputs lost)
    : IPartWorkspace
{
    Facts Facts => silo.Cluster.Facts;

    public Task<PreparedPart> PrepareAsync(PartLease lease, CancellationToken cancellationToken) => silo.OffGrain(async () =>
    {
        var (attempt, spec) = (lease.Attempt, lease.Spec);
        silo.World.Note("prepares", silo, silo.World.Trace.Records ? $"{attempt} {lease.Rows} of {spec.Kind}" : "");
        Facts.Began(silo, lease);
        if (LeaseFence.Refusal(lease, "cpu") is { } refusal)
            throw new ModelRefusedException(refusal);
        await store.DescribeStageAsync(attempt.StageKey, spec, cancellationToken);
        await Task.Delay(silo.World.Random.Seconds(0.01, 0.1) * silo.Machine.Slowness, silo.Time);
        if (silo.Machine.Trouble == Trouble.InputMissing)
            throw new FileNotFoundException("the input is not on this machine");
        var model = spec.HasSteps ? await ClaimAsync(lease) : (ModelAddress?)null;
        var part = new SimPart(lease, model);
        try
        {
            await ReadInputsAsync(lease, cancellationToken);
            await BeginAsync(part, cancellationToken);
            cancellationToken.ThrowIfCancellationRequested();
            parts.Add(part);
        }
        catch (Exception exception)
        {
            checkpoints.Leave(attempt);
            Release(part);
            await store.DeleteAttemptAsync(attempt, CancellationToken.None);
            if (LostInputs.In(exception) is { } damage)
                throw await lost.VoidAsync(damage, cancellationToken);
            throw;
        }
        if (silo.Machine.Trouble == Trouble.DiesOfWork)
            silo.World.After(silo.World.Random.Seconds(0.5, 2), silo, () => silo.Machine.Ended(silo, "it dies of work"));
        var last = spec.HasSteps ? spec.NumInferenceSteps : 0;
        return new PreparedPart(
            [.. part.Starts.Where(s => s.Value < last).Select(s => new SampleStart(s.Key, s.Value))], [], model);
    });

    public Task<PublishedPart> PublishAsync(
        PartAttempt attempt, ImmutableArray<SampleFailure> failures, CancellationToken cancellationToken) => silo.OffGrain(async () =>
    {
        var part = parts.Find(attempt) ?? throw new InvalidOperationException($"Part {attempt} is not prepared on this silo.");
        var lease = part.Lease;
        if (silo.Machine.Trouble == Trouble.ScratchFull)
            throw new StoreException("no space left on the scratch disk") { DiskFull = true };
        var good = failures.Aggregate(RowSet.Of(lease.Rows), (rows, f) => rows.Subtract(new RowRange(f.Sample, f.Sample + 1)));
        var (published, ours) = (RowSet.Empty, RowSet.Empty);
        foreach (var rows in good.Ranges)
        {
            var (all, won) = await PublishRowsAsync(part, rows, cancellationToken);
            published = published.Union(all);
            ours = won ? ours.Add(rows) : ours;
        }
        parts.Remove(attempt);
        Release(part);
        await AttemptRemains.ClearAsync(
            store, checkpoints, lease, failures.Aggregate(published, (rows, f) => rows.Add(new(f.Sample, f.Sample + 1))));
        silo.World.Note("published", silo, silo.World.Trace.Records ? $"{attempt} {published}" : "");
        return new PublishedPart(published, ours);
    });

    public void Discard(PartAttempt attempt)
    {
        checkpoints.Leave(attempt);
        if (parts.Remove(attempt) is { } part)
            Release(part);
        silo.OffGrain(() => store.DeleteAttemptAsync(attempt, CancellationToken.None)).Ignore();
    }

    public Fault Blame(PartAttempt attempt, Exception exception)
    {
        var part = parts.Find(attempt);
        return OfDevice(FaultOwners.Of(exception, part?.Lease.Rows ?? default), part);
    }

    /// <summary>As the real silo judges with one device: whose engine failed is the host's fault, on that device.</summary>
    public static Fault OfDevice(Fault fault, SimPart? part) =>
        fault.Rows.IsEmpty || fault.Owner != FaultOwner.Host || part?.Model is not { } model ? fault : fault with { Device = model.Device };

    public long Evaluations(PartAttempt attempt) => parts.Find(attempt)?.Begun ?? 0;

    async Task<ModelAddress> ClaimAsync(PartLease lease)
    {
        var model = new ModelAddress("cpu", StageEngine.Of(lease.Spec));
        await ModelGrain(model).AcquireAsync(lease.Attempt, lease.Spec);
        await engines.LoadedAsync(model);
        return model;
    }

    void Release(SimPart part)
    {
        if (part.Model is { } model)
            ModelGrain(model).ReleaseAsync(part.Lease.Attempt).AsTask().Ignore();
    }

    IModelGrain ModelGrain(ModelAddress model) => silo.Grains.GetGrain<IModelGrain>(PinnedToSiloPlacement.Key(silo.Address, model));

    async Task ReadInputsAsync(PartLease lease, CancellationToken cancellationToken)
    {
        var row = new byte[Numbers.RowBytes];
        if (lease.Spec.Measure is { } measure)
        {
            var needed = measure.Needs(lease.Rows.Start);
            foreach (var key in lease.Spec.InputKeys)
            {
                using var reader = await StageReader.OpenAsync(store, key, needed, cancellationToken);
                for (var i = needed.Start; i < needed.End; i++)
                {
                    reader.ReadResult(new(i, i + 1), row);
                    Facts.Read(key, i, Facts.StepsOf(key), TensorKinds.None, row);
                }
            }
        }
        else if (lease.Spec.Input is StageRows input)
        {
            using var reader = await StageReader.OpenAsync(store, input.Key, lease.Rows, cancellationToken);
            for (var i = lease.Rows.Start; i < lease.Rows.End; i++)
            {
                reader.ReadResult(new(i, i + 1), row);
                Facts.Read(input.Key, i, Facts.StepsOf(input.Key), TensorKinds.None, row);
            }
        }
        if (lease.Spec.Swap is { Source: StageRows source } swap)
        {
            using var reader = await StageReader.OpenAsync(store, source.Key, lease.Rows, cancellationToken);
            var needed = CaptureSelection.ForSwap(swap.Kind, swap.Before, lease.Spec.NumInferenceSteps);
            foreach (var kind in needed.Kinds)
            {
                foreach (var step in needed.Steps(kind))
                {
                    reader.ReadKept(kind, step, new(lease.Rows.Start, lease.Rows.Start + 1), row);
                    Facts.Read(source.Key, lease.Rows.Start, step, kind, row);
                }
            }
        }
    }

    /// <summary>The furthest that earlier attempts left. What is kept of the steps before lies on the machine that made them.</summary>
    async Task BeginAsync(SimPart part, CancellationToken cancellationToken)
    {
        var (lease, spec) = (part.Lease, part.Lease.Spec);
        if (!spec.HasSteps)
            return;
        var begun = new Dictionary<int, SampleCheckpoint>();
        foreach (var earlier in lease.EarlierAttempts)
        {
            if (!lease.Keep.IsEmpty && !silo.Machine.Scratch.Contains(earlier.Attempt.Id))
                continue;
            foreach (var (sample, left) in await checkpoints.ReadAsync(
                [earlier.Attempt], lease.Rows, Numbers.RowBytes, cancellationToken))
            {
                if (left.NextStep > spec.FirstStep && left.NextStep <= spec.NumInferenceSteps
                    && (!begun.TryGetValue(sample, out var known) || known.NextStep < left.NextStep))
                    begun[sample] = left;
            }
        }
        for (var row = lease.Rows.Start; row < lease.Rows.End; row++)
        {
            part.Starts[row] = begun.TryGetValue(row, out var checkpoint) ? checkpoint.NextStep : spec.FirstStep;
            part.Evaluations[row] = checkpoint?.Evaluations ?? 0;
            part.Begun += part.Evaluations[row];
            if (checkpoint is not null)
                Facts.Read(lease.Attempt.StageKey, row, checkpoint.NextStep, TensorKinds.None, checkpoint.State.ToArray());
        }
        if (!lease.Keep.IsEmpty)
            silo.Machine.Scratch.Add(lease.Attempt.Id);
        checkpoints.Open(lease.Attempt, begun.Values);
    }

    async Task<(RowSet All, bool Won)> PublishRowsAsync(SimPart part, RowRange rows, CancellationToken cancellationToken)
    {
        var (lease, attempt, spec) = (part.Lease, part.Lease.Attempt, part.Lease.Spec);
        var entries = ImmutableArray.CreateBuilder<ObjectEntry>();
        if (!lease.Supplement)
            entries.Add(await PutAsync(
                part, rows, spec.ResultName, TensorKinds.None, [], Numbers.Results(attempt.StageKey, rows, spec.NumInferenceSteps)));
        foreach (var kind in lease.Keep.Kinds)
        {
            var steps = lease.Keep.Steps(kind);
            byte[] bytes =
            [
                .. steps.SelectMany(step => Enumerable.Range(rows.Start, rows.Count).SelectMany(
                    row => Numbers.Kept(attempt.StageKey, row, step, kind))),
            ];
            entries.Add(await PutAsync(part, rows, spec.CaptureName(kind), kind, steps, bytes));
        }
        var manifest = new PartManifest
        {
            StageKey = attempt.StageKey,
            RowStart = rows.Start,
            RowEnd = rows.End,
            Supplement = lease.Supplement,
            Epoch = attempt.Epoch,
            Attempt = attempt.Id,
            Objects = entries.ToImmutable(),
            Device = "cpu",
            PublishedAt = silo.Time.GetUtcNow(),
        };
        if (await store.PublishAsync(manifest, cancellationToken))
            return (RowSet.Of(rows), true);
        var others = await store.ListAsync(attempt.StageKey, rows, cancellationToken);
        var theirs = others.Where(m => m.Supplement == lease.Supplement && m.Kept.Covers(lease.Keep)).Select(m => m.Rows);
        return (RowSet.Of([.. theirs]).Intersect(rows), false);
    }

    async Task<ObjectEntry> PutAsync(
        SimPart part, RowRange rows, string name, TensorKinds kind, ImmutableArray<int> steps, byte[] bytes)
    {
        var attempt = part.Lease.Attempt;
        var file = rows.Start == part.Lease.Rows.Start ? name : $"{name}_{rows.Start}";
        await ((SiloObjects)objects).PutBytesAsync(StoreNames.Object(attempt, file), bytes);
        var path = await store.PutAsync(attempt, file, CancellationToken.None);
        ImmutableArray<long> shape = kind == TensorKinds.None ? [rows.Count, 1, 1, 4] : [steps.Length, rows.Count, 1, 1, 4];
        return new(name, kind, steps, path, shape, "F32", 0, bytes.Length, Convert.ToHexStringLower(SHA256.HashData(bytes)));
    }
}

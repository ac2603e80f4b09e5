using Taba.Silo.Engines;
using Taba.Silo.Faults;
using Taba.Silo.Measuring;
using Taba.Silo.Rows;
using System.Collections.Immutable;
using System.Diagnostics;
using Taba.Grains;
using Taba.Grains.Faults;
using Taba.Grains.Ports;
using Taba.Grains.Stages;
using Taba.Grains.Telemetry;
using Taba.Storage.Checkpoints;
using Taba.Silo.Models;
using Taba.Storage.Manifests;
using Taba.Storage.Objects;
using Taba.Silo.Telemetry;

namespace Taba.Silo.Parts;

/// <summary>Brings a part's tensors in and out of this silo. File work runs on the thread pool, never in a grain's turn.</summary>
sealed class PartWorkspace(
    ActiveParts parts,
    EngineDevices devices,
    PartPreparation preparation,
    BlockMeasurer measurer,
    PartPublisher publisher,
    TensorStore store,
    PartCheckpoints checkpoints,
    RecentResults recent,
    LostInputs lost,
    RowBuffers buffers,
    ModelsHere models,
    FeaturesHere features,
    ModelPauses pauses,
    SampleReports reports,
    EngineTroubles troubles) : IPartWorkspace
{
    public Task<PreparedPart> PrepareAsync(PartLease lease, CancellationToken cancellationToken) => OffGrain(async () =>
    {
        var whole = TraceLine.Begin("part", lease.TraceParent)?.SetTag("taba.part", lease.Attempt.PartKey);
        try
        {
            return await PrepareAsync(lease, whole, cancellationToken);
        }
        catch (Exception exception)
        {
            whole?.SetStatus(ActivityStatusCode.Error, exception.Message).Dispose();
            throw;
        }
    });

    async Task<PreparedPart> PrepareAsync(PartLease lease, Activity? whole, CancellationToken cancellationToken)
    {
        RequireOwnNumbers(lease);
        using var span = TraceLine.Begin("prepare part", whole?.Id);
        var clock = Stopwatch.StartNew();
        await store.DescribeStageAsync(lease.Attempt.StageKey, lease.Spec, cancellationToken);
        // What is measured lies in the store: no model is needed.
        if (lease.Spec.Measure is null)
            lease = lease with { Spec = lease.Spec with { Model = ModelOf(lease.Spec) } };
        else
            RequireNetworks(lease);
        var part = await ActivateAsync(lease);
        part.Span = whole;
        var failures = ImmutableArray<SampleFailure>.Empty;
        try
        {
            if (lease.Spec.HasSteps)
                await preparation.FillAsync(part, cancellationToken);
            else if (lease.Spec.Measure is { } measure)
            {
                part.Device = measurer.DeviceOf(measure);
                (part.Sums, var took) = await measurer.MeasureAsync(lease, cancellationToken);
                part.AddComputing(lease.Rows.Start, took);
            }
            else
            {
                await preparation.ReadInputAsync(lease, part.Inputs, cancellationToken);
                failures = await devices.PassAsync(part, cancellationToken);
            }
            cancellationToken.ThrowIfCancellationRequested();
            parts.Add(part);
            // A device that was lost meanwhile gave back the parts that it knew of.
            if (part.Model is { } model)
                troubles.RequireWorks(model.Device);
        }
        catch (Exception exception)
        {
            parts.Remove(lease.Attempt);
            await DropAsync(part);
            if (LostInputs.In(exception) is { } damage)
                throw await lost.VoidAsync(damage, cancellationToken);
            throw;
        }
        SiloInstruments.PrepareDuration.Record(clock.Elapsed.TotalSeconds, SiloInstruments.KindOf(lease.Spec));
        SiloInstruments.SamplesResumed.Add(part.Starts.Count(s => s.FromCheckpoint));
        return new PreparedPart(
            [
                .. part.Starts.Select((start, row) => new SampleStart(lease.Rows.Start + row, start.Step))
                    .Where(start => start.Step < lease.Spec.NumInferenceSteps),
            ],
            failures, part.Model);
    }

    /// <summary>Before anything is written under the key, whoever sent the lease.</summary>
    void RequireOwnNumbers(PartLease lease)
    {
        var key = lease.Attempt.StageKey;
        if (LeaseFence.Refusal(lease, devices.Kind) is not { } refusal)
        {
            pauses.Served(key);
            return;
        }
        pauses.Refused(key, refusal);
        SiloInstruments.LeasesFenced.Add(1);
        throw new ModelRefusedException(refusal);
    }

    ModelIdentity ModelOf(StageSpec spec)
    {
        try
        {
            var model = models.Of(spec.Model);
            pauses.Served(spec.Model.Digest);
            return model;
        }
        catch (BadInputException exception)
        {
            pauses.Refused(spec.Model.Digest, exception.Message, spec.Model.Name ?? spec.Model.Path);
            throw new ModelRefusedException(exception.Message, exception);
        }
    }

    void RequireNetworks(PartLease lease)
    {
        try
        {
            features.Require(lease.Spec.Measure!.Features);
        }
        catch (BadInputException exception)
        {
            pauses.Refused(lease.Attempt.StageKey, exception.Message);
            throw new ModelRefusedException(exception.Message, exception);
        }
    }

    async Task<ActivePart> ActivateAsync(PartLease lease)
    {
        if (!lease.Spec.HasSteps)
            return ActivePart.WithoutSteps(lease, buffers);
        var claim = await devices.ClaimAsync(lease);
        try
        {
            return ActivePart.WithSteps(lease, claim, ModelDefinitions.Schedule(claim.Engine.Definition, lease.Spec), buffers);
        }
        catch
        {
            claim.Dispose();
            throw;
        }
    }

    public Task<PublishedPart> PublishAsync(
        PartAttempt attempt, ImmutableArray<SampleFailure> failures, CancellationToken cancellationToken) => OffGrain(async () =>
    {
        var clock = Stopwatch.StartNew();
        var part = parts.Get(attempt);
        using var span = TraceLine.Begin("publish part", part.Span?.Id);
        var published = await publisher.PublishAsync(part, failures, cancellationToken);
        parts.Remove(attempt);
        part.Dispose();
        HandOn(part, failures, published.Ours);
        await AttemptRemains.ClearAsync(
            store, checkpoints, part.Lease, failures.Aggregate(published.All, (rows, f) => rows.Add(new(f.Sample, f.Sample + 1))));
        SiloInstruments.PublishDuration.Record(clock.Elapsed.TotalSeconds, SiloInstruments.KindOf(part.Lease.Spec));
        return published;
    });

    public void Discard(PartAttempt attempt)
    {
        checkpoints.Leave(attempt);
        // What a part kept of its steps stays for the attempt that comes next, which deletes it, and what fails to be deleted here.
        var keepScratch = false;
        if (parts.Remove(attempt) is { } part)
        {
            keepScratch = !part.Lease.Keep.IsEmpty;
            part.Dispose();
        }
        OffGrain(() => store.DeleteAttemptAsync(attempt, CancellationToken.None, keepScratch)).Ignore();
    }

    async Task DropAsync(ActivePart part)
    {
        checkpoints.Leave(part.Lease.Attempt);
        part.Dispose();
        await store.DeleteAttemptAsync(part.Lease.Attempt, CancellationToken.None);
    }

    /// <summary>
    /// Every sample of a published part is done: its arrays are free, unlike those of a discarded one, whose rows may still run. What a
    /// quicker attempt published is read from the store: only its bytes are the rows.
    /// </summary>
    void HandOn(ActivePart part, ImmutableArray<SampleFailure> failures, RowSet ours)
    {
        if (!failures.IsEmpty)
            return;
        buffers.Return(part.Inputs);
        if (part.Lease.Supplement || part.Sums is not null || !ours.Contains(part.Lease.Rows))
            buffers.Return(part.Results);
        else
            recent.Add(part.Lease.Attempt.StageKey, part.Lease.Rows, part.Results);
    }

    public bool Draining => reports.Draining;

    public Fault Blame(PartAttempt attempt, Exception exception)
    {
        var part = parts.Find(attempt);
        if (exception is EngineTroubleException { Trouble: var trouble } && !troubles.NoneLeft)
            return new(FaultOwner.Device, exception.Message) { Rows = part?.Lease.Rows ?? default, Device = trouble.Device };
        var fault = FaultOwners.Of(exception, part?.Lease.Rows ?? default);
        return part?.Model is { } model ? troubles.Judge(fault, model) : fault;
    }

    public long Evaluations(PartAttempt attempt) => parts.Find(attempt)?.Progress ?? 0;

    /// <summary>The grain's scheduler must not run this: hashing and file reads would block its silo's other grains.</summary>
    static Task<T> OffGrain<T>(Func<Task<T>> work) => Task.Run(work);
}

using Taba.Storage.RunFolders;
using Taba.Client.Hosts;
using Taba.Client.Planning;
using Taba.Client.Progress;
using Taba.Client.Pulling;
using Taba.Client.Reports;
using Taba.Grains;
using Taba.Grains.Sweeps;
using Taba.Grains.Words;
using Taba.Silo.Models;
using Taba.Silo.Outputs;
using Taba.Storage.Manifests;
using Taba.Storage.Objects;

namespace Taba.Client.Running;

/// <summary>Runs or continues a sweep: plan, checks, work, run folders, report.</summary>
sealed class SweepRunner(IRunHost host, Terminal terminal)
{
    /// <summary>The time that running segments may take to end after an interrupt.</summary>
    static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    static readonly TimeSpan s_lookEvery = TimeSpan.FromSeconds(0.5);

    /// <summary>A store that is damaged more often within one run loses its contents faster than they can be computed.</summary>
    const int MostRepairs = 100;

    /// <summary>Cells that a stage is asked to look at in one call.</summary>
    const int CellsPerLook = 32;

    /// <returns>An exit status.</returns>
    /// <exception cref="BadInputException">Nothing was started and nothing written.</exception>
    /// <exception cref="RunFailedException">A store or disk failed.</exception>
    public async Task<int> RunAsync(RunJob job, CancellationToken interrupted)
    {
        var plan = await PlanAsync(job, interrupted);
        RefuseOtherFamily(job, plan);
        var output = host.Output(job.Folder);
        RequirePlaces(job, plan, output);
        RefuseConflicts(job, plan, output);
        foreach (var warning in PlanWarnings.Of(plan, job.Spec))
            terminal.Say(warning);
        var estimate = await PlanEstimate.OfAsync(host, job, new(plan, []), interrupted);
        RequireRoom(job, estimate);
        if (!job.Json && PlanSharing.Of(plan).Saves is { } saves)
            terminal.Say($"{Quantities.Count(plan.Evaluations)} network evaluations; {saves}.");
        plan = plan with { ExpectedRate = estimate.Rate };
        interrupted.ThrowIfCancellationRequested();

        await using var session = await StartAsync(job, interrupted);
        using var span = RunTrace.Begin(plan);
        if (job.DashboardPort is not null && session.Dashboard is { } dashboard)
            DashboardNotice.Tell(terminal, dashboard, plan, job.Json);
        await using var view = ProgressViews.For(terminal, plan, job.Json);
        try
        {
            if (job.Spec.Overwrite)
                await session.ForgetAsync(plan, interrupted);
            if (job.Detach)
            {
                await session.SubmitAsync(plan);
                await view.DisposeAsync();
                return new RunResults(terminal, job, output).PrintDetached(plan);
            }
            var status = await ComputeAsync(session, plan, view, interrupted);
            return await CollectAsync(session, job, plan, output, status, view, interrupted);
        }
        catch (OperationCanceledException) when (interrupted.IsCancellationRequested)
        {
            if (session.OnInterrupt is { } sentence)
                view.Say(sentence);
            await session.DrainAsync(s_patience);
            if (session.AfterInterrupt(plan) is { } last)
                throw new InterruptedException(last);
            throw;
        }
    }

    /// <summary>Writes the folders and the report of a sweep that has ended, whoever ran it.</summary>
    /// <param name="status">Its last snapshot: completed, with or without failures.</param>
    /// <returns>An exit status.</returns>
    /// <exception cref="BadInputException">The folders cannot be written there; nothing is.</exception>
    /// <exception cref="RunFailedException">A store or disk failed.</exception>
    public async Task<int> CollectAsync(RunJob job, SweepPlan plan, SweepStatus status, CancellationToken interrupted)
    {
        var output = host.Output(job.Folder);
        RequirePlaces(job, plan, output);
        RefuseConflicts(job, plan, output);
        RequireRoom(job, await PlanEstimate.OfAsync(host, job, new(plan, []), interrupted));
        await using var session = await StartAsync(job, interrupted);
        await using var view = ProgressViews.For(terminal, plan, job.Json);
        return await CollectAsync(session, job, plan, output, status, view, interrupted);
    }

    async Task<int> CollectAsync(
        IRunSession session, RunJob job, SweepPlan plan, OutputFolder output, SweepStatus status, IProgressView view,
        CancellationToken interrupted)
    {
        var computed = terminal.Time.GetTimestamp();
        for (var attempt = 1; status.State != SweepState.Stopped; attempt++)
        {
            try
            {
                await WriteRunsAsync(session, job, plan, output, status, view, interrupted);
                break;
            }
            catch (DamagedRowsException damage) when (attempt < MostRepairs)
            {
                view.Say($"Damage found: {damage.Message}");
                await RepairAsync(session, plan, damage, interrupted);
                status = await ComputeAsync(session, plan, view, interrupted);
                computed = terminal.Time.GetTimestamp();
            }
        }
        if (status.State == SweepState.Stopped)
        {
            await view.DisposeAsync();
            return new RunResults(terminal, job, output).PrintStopped(plan, status);
        }
        if (session.Store.VoidedHere is var voided and > 0)
            view.Say($"The store had {voided} damaged entries: they were made void and their rows computed again.");
        view.Say("Writing the report.");
        var report = SweepReport.Write(output, plan.Name, ours: true, interrupted);
        await view.DisposeAsync();
        return new RunResults(terminal, job, output).Print(
            plan, status, report, new(session.DeviceUses, terminal.Time.GetElapsedTime(computed)));
    }

    /// <summary>Commands that share a store, as the parts of a job array do, work one after the other.</summary>
    async Task<IRunSession> StartAsync(RunJob job, CancellationToken interrupted)
    {
        for (var said = false; ; said = true)
        {
            try
            {
                return await host.StartAsync(job, interrupted);
            }
            catch (RunFailedException busy) when (busy.IsBusy && !job.NoWait)
            {
                if (!said)
                    terminal.Say($"Waiting, because {busy.Message}. Ctrl-C ends the waiting, --no_wait goes without.");
                await Task.Delay(s_lookEvery, terminal.Time, interrupted);
            }
        }
    }

    /// <summary>Makes void what cannot be read, and tells its stage, so that the same sweep computes it again.</summary>
    static async Task RepairAsync(IRunSession session, SweepPlan plan, DamagedRowsException damage, CancellationToken interrupted)
    {
        if (damage.Entry is { } entry)
            await session.Store.VoidAsync(entry, damage.Message, interrupted);
        for (var start = CellGrid.StartOf(damage.Rows.Start); start < damage.Rows.End; start += CellsPerLook * CellGrid.Rows)
            await session.LookAgainAsync(
                plan.SweepId, damage.StageKey, damage.Rows.Intersect(new(start, start + CellsPerLook * CellGrid.Rows)));
    }

    /// <summary>Plans, and downloads what the plan needs and this machine lacks, as upstream does.</summary>
    async Task<SweepPlan> PlanAsync(RunJob job, CancellationToken interrupted)
    {
        var pulled = new HashSet<string>();
        while (true)
        {
            try
            {
                return host.Plan(job.Spec, job.StoreRoot, remember: true);
            }
            catch (NotPulledException absent) when (pulled.Add(absent.Name) && !ModelCache.FromEnvironment().Settings.Offline)
            {
                await ModelPull.RunAsync(new(absent.Name, null, null, job.Json, OnDemand: true), terminal, interrupted);
            }
        }
    }

    /// <exception cref="BadInputException">The model is of another family than the command.</exception>
    public static void RefuseOtherFamily(RunJob job, SweepPlan plan)
    {
        if (job.Family is { } family && plan.Runs.FirstOrDefault(r => r.Model.Family != family) is { } run)
            throw new BadInputException(
                $"The model {run.Model.Path} is of family {run.Model.Family}, not {family}: name that family in the command.");
    }

    /// <summary>A run of a cluster writes only its folders here, and one into blobs nothing.</summary>
    static void RequireRoom(RunJob job, PlanEstimate estimate)
    {
        if (job.Cluster is null)
            DiskRoom.Require(estimate, job.StoreRoot, job.Folder);
        else if (!BlobPlace.Is(job.Folder))
            DiskRoom.Require(estimate with { StoreBytes = 0, WorkingBytes = 0 }, job.Folder, job.Folder);
    }

    /// <summary>Every folder that this run writes to, before anything starts.</summary>
    static void RequirePlaces(RunJob job, SweepPlan plan, OutputFolder output)
    {
        const string Instead = "choose another place with --out or --save_dir";
        if (job.Cluster is null)
            OutputPlace.Require(job.StoreRoot, Instead);
        OutputPlace.Require(job.Folder, Instead);
        if (!BlobPlace.Is(job.Folder))
        {
            foreach (var run in plan.Runs)
                OutputPlace.Require(job.FolderOf(run, output).Place, Instead);
        }
    }

    static void RefuseConflicts(RunJob job, SweepPlan plan, OutputFolder output)
    {
        if (job.Spec.Overwrite)
            return;
        foreach (var run in plan.Runs)
        {
            if (WrittenRuns.Conflict(plan, run, job.FolderOf(run, output)) is { } conflict)
                throw new BadInputException(conflict);
        }
    }

    /// <summary>Returns when every row is published or has failed.</summary>
    static async Task<SweepStatus> ComputeAsync(IRunSession session, SweepPlan plan, IProgressView view, CancellationToken interrupted)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(interrupted);
        var watching = FollowAsync();
        var first = await Task.WhenAny(watching, session.Fault);
        if (first == watching)
        {
            try
            {
                return await watching;
            }
            catch (Exception e) when (e is not (OperationCanceledException or RunFailedException) && session.Fault.IsCompletedSuccessfully)
            {
                // The call that failed is a consequence of the fault, which says it better.
                throw new RunFailedException(await session.Fault, e);
            }
        }
        await stop.CancelAsync();
        await watching.ContinueWith(
            static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        throw new RunFailedException(await session.Fault);

        async Task<SweepStatus> FollowAsync()
        {
            var status = await session.SubmitAsync(plan);
            view.Show(status);
            if (status.State.IsLive())
            {
                await foreach (var next in session.WatchAsync(plan.SweepId, status.Version, stop.Token))
                {
                    status = next;
                    view.Show(status);
                }
                stop.Token.ThrowIfCancellationRequested();
            }
            return status.State switch
            {
                SweepState.Completed or SweepState.CompletedWithFailures or SweepState.Stopped => status,
                SweepState.Cancelled => throw new RunFailedException("The sweep was cancelled; the same command starts it again."),
                _ => throw new RunFailedException(status.Fault ?? "The sweep cannot go on, and the store gave no reason."),
            };
        }
    }

    static async Task WriteRunsAsync(
        IRunSession session, RunJob job, SweepPlan plan, OutputFolder output, SweepStatus status, IProgressView view,
        CancellationToken interrupted)
    {
        using var folders = new RunFolderWriter(
            session.Store,
            new RunFolderOptions
            {
                Format = job.Spec.Format,
                WithMetrics = job.Spec.WithMetrics,
                Parameters = job.Spec.Parameters,
                Device = session.DeviceKind,
            },
            TimeProvider.System);
        foreach (var run in plan.Runs)
        {
            var folder = job.FolderOf(run, output);
            view.Say($"Writing {folder.Place}");
            try
            {
                await folders.WriteAsync(plan, run, folder, status, interrupted);
                await ToldMetrics.TellAsync(session, plan, run, folder, TimeProvider.System);
            }
            catch (StoreException exception) when (exception is not DamagedRowsException)
            {
                throw new RunFailedException(exception.Message, exception);
            }
        }
    }
}

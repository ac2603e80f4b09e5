using System.Collections.Immutable;
using Taba.Grains.Sweeps;
using Taba.Silo.Web.Json;
using Taba.Silo.Web.Live;

namespace Taba.Silo.Web.Sweeps;

/// <summary>What viewers see of sweeps, read and put into JSON once for all who look within the same second.</summary>
sealed class SweepLooks(IGrainFactory grains, TimeProvider time)
{
    const int MostAnswers = 512;
    const int MostSweeps = 64;

    static readonly TimeSpan s_fresh = TimeSpan.FromSeconds(1);

    /// <summary>A plan changes only when its sweep is submitted again.</summary>
    static readonly TimeSpan s_planFresh = TimeSpan.FromSeconds(10);

    readonly SharedReads<string, Answer> _answers = new(s_fresh, MostAnswers, time);
    readonly SharedReads<string, SweepStatus> _statuses = new(s_fresh, MostSweeps, time);
    readonly SharedReads<string, PlanNames?> _plans = new(s_planFresh, MostSweeps, time);
    readonly StageLooks _stages = new(grains, time);

    /// <summary>A page of the list, those that live first.</summary>
    public Task<Answer> ListAsync(int from, int count) => AnswerAsync($"sweeps {from} {count}", async () =>
    {
        var page = await grains.GetGrain<ISweepIndexGrain>(0).GetPageAsync(from, count);
        return Answer.Of(new(page.Total, page.Live, from, [.. page.Entries.Select(SweepJson.Of)]), ViewJson.Default.SweepsView);
    });

    public Task<Answer> OneAsync(string id) => OfSweepAsync($"sweep {id}", id, Read);

    /// <summary>The sweep as it is now, whatever was read a moment ago: for whoever just changed it.</summary>
    public async Task<Answer> OneNowAsync(string id) => await PlanAsync(id) is { } plan
        ? Read(plan, await Sweep(id).GetStatusAsync())
        : Answers.NoSweep;

    /// <summary>A page of its stages, each with its rows in cells.</summary>
    public Task<Answer> StagesAsync(string id, int from, int count, int bins) => OfSweepAsync(
        $"stages {id} {from} {count} {bins}", id, async (plan, status) =>
        {
            var page = status.Stages.Skip(from).Take(count).ToImmutableArray();
            var facts = await _stages.FactsAsync(plan, status);
            var strips = await Task.WhenAll(page.Select(s => _stages.StripAsync(plan, status, s, bins)));
            return Answer.Of(
                new(status.Stages.Length, from, [.. page.Zip(strips, (s, strip) => StageJson.Of(s, plan, facts, strip))]),
                ViewJson.Default.PageViewStageView);
        });

    /// <summary>Where the rows of one stage are.</summary>
    public Task<Answer> PartsAsync(string key, string id, int bins, int from, int count) => OfSweepAsync(
        $"parts {key} {id} {bins} {from} {count}", id, async (plan, status) =>
            status.Stages.FirstOrDefault(s => s.Key == key) is { } stage
                ? Answer.Of(
                    StageJson.Of(await _stages.PartsAsync(plan, status, stage, new(id, bins, from, count))), ViewJson.Default.PartsView)
                : Answers.NoStage);

    /// <summary>A page of its runs, with the numbers of those whose folders are written.</summary>
    public Task<Answer> RunsAsync(string id, int from, int count) => OfSweepAsync(
        $"runs {id} {from} {count}", id, async (plan, status) =>
        {
            var numbers = (await Sweep(id).GetMetricsAsync()).ToDictionary(r => r.Run);
            var runs = plan.Plan.Runs.Skip(from).Take(count).Select(r => RunJson.Of(r, status, numbers.GetValueOrDefault(r.Slug)));
            return Answer.Of(new(plan.Plan.Runs.Length, from, [.. runs]), ViewJson.Default.PageViewRunView);
        });

    /// <summary>A page of its samples that were given up.</summary>
    public Task<Answer> FailuresAsync(string id, int from, int count) => OfSweepAsync(
        $"failures {id} {from} {count}", id,
        (plan, status) => Answer.Of(FailureJson.Of(plan, status, from, count), ViewJson.Default.FailuresView));

    /// <summary>What happened to it, the newest first.</summary>
    public Task<Answer> LogAsync(string id) => OfSweepAsync($"log {id}", id, async (_, _) =>
    {
        var log = await Sweep(id).GetLogAsync();
        return Answer.Of([.. log.Reverse().Select(SweepJson.Of)], ViewJson.Default.IReadOnlyListEventView);
    });

    static Answer Read(PlanNames plan, SweepStatus status) => Answer.Of(SweepJson.Of(plan.Plan, status), ViewJson.Default.SweepView);

    Task<Answer> OfSweepAsync(string key, string id, Func<PlanNames, SweepStatus, Answer> view) =>
        OfSweepAsync(key, id, (plan, status) => Task.FromResult(view(plan, status)));

    Task<Answer> OfSweepAsync(string key, string id, Func<PlanNames, SweepStatus, Task<Answer>> view) =>
        AnswerAsync(key, async () => await PlanAsync(id) is { } plan
            ? await view(plan, await _statuses.GetAsync(id, () => Sweep(id).GetStatusAsync().AsTask()))
            : Answers.NoSweep);

    Task<Answer> AnswerAsync(string key, Func<Task<Answer>> ask) => _answers.GetAsync(key, () => Answers.AskAsync(ask, time));

    Task<PlanNames?> PlanAsync(string id) => _plans.GetAsync(
        id, async () => await Sweep(id).GetPlanAsync() is { } plan ? new PlanNames(plan) : null);

    ISweepGrain Sweep(string id) => grains.GetGrain<ISweepGrain>(id);
}

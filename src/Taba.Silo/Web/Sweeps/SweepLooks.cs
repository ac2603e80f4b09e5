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
    readonly SharedReads<string, SweepPlan?> _plans = new(s_planFresh, MostSweeps, time);

    public Task<Answer> ListAsync(int from, int count) => AnswerAsync($"sweeps {from} {count}", async () =>
    {
        var sweeps = await grains.GetGrain<ISweepIndexGrain>(0).GetAllAsync();
        var page = sweeps.Skip(from).Take(count).Select(SweepTexts.Entry);
        return Answer.Of(new(sweeps.Length, sweeps.Count(s => s.Ended is null), from, [.. page]), ViewJson.Default.SweepsView);
    });

    public Task<Answer> OneAsync(string id) => OfSweepAsync(
        $"sweep {id}", id, (plan, status) => Answer.Of(SweepTexts.View(plan, status), ViewJson.Default.SweepView));

    public Task<Answer> StagesAsync(string id, int from, int count) => OfSweepAsync(
        $"stages {id} {from} {count}", id,
        (plan, status) => Answer.Of(SweepTexts.Page(plan, status, from, count), ViewJson.Default.PageViewStageView));

    Task<Answer> OfSweepAsync(string key, string id, Func<SweepPlan, SweepStatus, Answer> view) => AnswerAsync(key, async () =>
    {
        var sweep = grains.GetGrain<ISweepGrain>(id);
        return await _plans.GetAsync(id, () => sweep.GetPlanAsync().AsTask()) is { } plan
            ? view(plan, await _statuses.GetAsync(id, () => sweep.GetStatusAsync().AsTask()))
            : Answers.NoSweep;
    });

    Task<Answer> AnswerAsync(string key, Func<Task<Answer>> ask) =>
        _answers.GetAsync(key, () => Answers.AskAsync(ask, time));
}

using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Taba.Grains.Stages;
using Taba.Grains.Sweeps;

namespace Taba.Silo.Web;

/// <summary>Sweeps and their stages as JSON, read only.</summary>
static partial class SweepPages
{
    public static void MapSweeps(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGet("/api/sweeps", (IGrainFactory grains, TimeProvider time) => Answers.AskAsync(() => ListAsync(grains), time));
        endpoints.MapGet("/api/sweeps/{id}", (string id, IGrainFactory grains, TimeProvider time) =>
            Answers.AskAsync(() => OneAsync(id, grains, (plan, status) => Task.FromResult<IResult>(
                TypedResults.Json(View(plan, status), ViewJson.Default.SweepView))), time));
        endpoints.MapGet("/api/sweeps/{id}/stages", (string id, IGrainFactory grains, TimeProvider time, int from = 0, int count = 100) =>
            Answers.CheckPage(from, count) is { } wrong
                ? Task.FromResult(wrong)
                : Answers.AskAsync(() => OneAsync(id, grains, (plan, status) => Task.FromResult<IResult>(
                    TypedResults.Json(Page(plan, status, from, count), ViewJson.Default.PageViewStageView))), time));
    }

    static async Task<IResult> ListAsync(IGrainFactory grains)
    {
        var sweeps = await grains.GetGrain<ISweepIndexGrain>(0).GetAllAsync();
        IReadOnlyList<SweepEntryView> views = [.. sweeps.Select(s => new SweepEntryView(
            s.SweepId, s.Name, Word(s.Ended ?? (s.Paused ? SweepState.Paused : SweepState.Running)), s.Priority, s.SubmittedAt,
            s.EndedAt))];
        return TypedResults.Json(views, ViewJson.Default.IReadOnlyListSweepEntryView);
    }

    static async Task<IResult> OneAsync(string id, IGrainFactory grains, Func<SweepPlan, SweepStatus, Task<IResult>> answer)
    {
        // A name that no sweep can have must not wake a grain.
        if (!SweepId().IsMatch(id) || await grains.GetGrain<ISweepGrain>(id).GetPlanAsync() is not { } plan)
            return Answers.Error(StatusCodes.Status404NotFound, "there is no such sweep: /api/sweeps lists them");
        return await answer(plan, await grains.GetGrain<ISweepGrain>(id).GetStatusAsync());
    }

    static SweepView View(SweepPlan plan, SweepStatus status) => new(
        status.SweepId, plan.Name, Word(status.State), status.Version, status.Fault, status.Stages.Length,
        status.Stages.Sum(s => (long)s.RowsWanted), status.Stages.Sum(s => (long)s.RowsDone), status.Stages.Sum(s => (long)s.RowsReused),
        status.Stages.Sum(s => (long)s.RowsFailed), status.Stages.Sum(s => (long)s.RowsLeased), status.Stages.Sum(s => s.PartsLeased),
        status.Stages.Sum(s => s.EvaluationsPlanned), status.Stages.Sum(s => s.EvaluationsDone));

    static PageView<StageView> Page(SweepPlan plan, SweepStatus status, int from, int count)
    {
        var models = plan.Stages.ToDictionary(s => s.Key, s => s.Spec.Model.Name);
        return new(
            status.Stages.Length, from, [.. status.Stages.Skip(from).Take(count).Select(s => View(s, models.GetValueOrDefault(s.Key)))]);
    }

    static StageView View(StageStatus s, string? model) => new(
        s.Key, s.Kind.ToString().ToLowerInvariant(), model, s.RowsWanted, s.RowsDone, s.RowsReused, s.RowsFailed, s.RowsLeased,
        s.PartsLeased,
        s.EvaluationsPlanned, s.EvaluationsDone, s.Fault, [.. s.Refusals.Select(r => $"{r.Silo}: {r.Reason}")]);

    static string Word(SweepState state) => state switch
    {
        SweepState.CompletedWithFailures => "completed with failures",
        _ => state.ToString().ToLowerInvariant(),
    };

    [GeneratedRegex(@"\A[0-9a-f]{16}\z")]
    private static partial Regex SweepId();
}

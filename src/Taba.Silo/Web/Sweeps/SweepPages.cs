using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Taba.Grains.Stages;
using Taba.Grains.Sweeps;
using Taba.Grains.Words;
using Taba.Silo.Web.Json;
using Taba.Silo.Web.Live;

namespace Taba.Silo.Web.Sweeps;

/// <summary>Addresses of sweeps and their stages.</summary>
static partial class SweepPages
{
    /// <summary>A run has up to 64 numbers.</summary>
    const int MostRuns = 50;

    /// <summary>Cells of all strips of one answer.</summary>
    const int MostCells = 8192;

    /// <summary>Stages of a stream, as many as a page shows before somebody asks for more, and the cells of each.</summary>
    const int StagesOfAStream = 20;

    const int UsualBins = 96;

    static readonly TimeSpan s_streamEvery = TimeSpan.FromSeconds(1);

    public static void MapSweeps(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGet("/api/sweeps", async (SweepLooks looks, int from = 0, int count = 50) =>
            Answers.CheckPage(from, count) ?? await looks.ListAsync(from, count));
        endpoints.MapGet("/api/sweeps/{id}", async (string id, SweepLooks looks) => Check(id) ?? await looks.OneAsync(id));
        endpoints.MapGet("/api/sweeps/{id}/stages", async (
            string id, SweepLooks looks, int from = 0, int count = 20, int bins = UsualBins) => Check(id)
                ?? Answers.CheckPage(from, count) ?? CheckBins(bins, count) ?? await looks.StagesAsync(id, from, count, bins));
        endpoints.MapGet("/api/sweeps/{id}/runs", async (string id, SweepLooks looks, int from = 0, int count = MostRuns) =>
            Check(id) ?? Answers.CheckPage(from, count, MostRuns) ?? await looks.RunsAsync(id, from, count));
        endpoints.MapGet("/api/sweeps/{id}/failures", async (string id, SweepLooks looks, int from = 0, int count = 50) =>
            Check(id) ?? Answers.CheckPage(from, count) ?? await looks.FailuresAsync(id, from, count));
        endpoints.MapGet("/api/sweeps/{id}/log", async (string id, SweepLooks looks) => Check(id) ?? await looks.LogAsync(id));
        endpoints.MapGet("/api/stages/{key}/parts", async (
            string key, string? sweep, SweepLooks looks, int bins = UsualBins, int from = 0, int count = 100) => Check(sweep ?? "")
                ?? Answers.CheckPage(from, count) ?? CheckBins(bins, 1) ?? await looks.PartsAsync(key, sweep!, bins, from, count));
        endpoints.MapGet("/api/sweeps/{id}/events", (string id, SweepLooks looks, Feeds feeds, HttpContext context) =>
            Check(id) is { } wrong
                ? wrong.ExecuteAsync(context)
                : feeds.StreamAsync(
                    context, s_streamEvery, new FeedPart("sweep", () => looks.OneAsync(id)),
                    new FeedPart("stages", () => looks.StagesAsync(id, 0, StagesOfAStream, UsualBins))));
        foreach (var verb in Enum.GetValues<SweepVerb>())
        {
            endpoints.MapPost($"/api/sweeps/{{id}}/{verb.ToString().ToLowerInvariant()}", async (string id, SweepSteering steering) =>
                Check(id) ?? await steering.SteerAsync(id, verb));
        }
    }

    /// <summary>A name that no sweep can have must not wake a grain.</summary>
    static Answer? Check(string id) => SweepId().IsMatch(id) ? null : Answers.NoSweep;

    static Answer? CheckBins(int bins, int count) => bins is < 1 or > StageParts.MostBins || bins * count > MostCells
        ? Answers.Error(
            StatusCodes.Status400BadRequest,
            $"bins is {bins}: it is 1 to {StageParts.MostBins}, and with count {count} all strips have at most {MostCells} cells")
        : null;

    [GeneratedRegex(@"\A[0-9a-f]{16}\z")]
    private static partial Regex SweepId();
}

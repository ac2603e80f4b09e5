using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Taba.Silo.Web.Json;
using Taba.Silo.Web.Live;

namespace Taba.Silo.Web.Sweeps;

/// <summary>Addresses of sweeps and their stages.</summary>
static partial class SweepPages
{
    /// <summary>Stages of a stream, as many as a page shows before somebody asks for more.</summary>
    const int StagesOfAStream = 20;

    static readonly TimeSpan s_streamEvery = TimeSpan.FromSeconds(1);

    public static void MapSweeps(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGet("/api/sweeps", async (SweepLooks looks, int from = 0, int count = 50) =>
            Answers.CheckPage(from, count) ?? await looks.ListAsync(from, count));
        endpoints.MapGet("/api/sweeps/{id}", async (string id, SweepLooks looks) => Check(id) ?? await looks.OneAsync(id));
        endpoints.MapGet("/api/sweeps/{id}/stages", async (string id, SweepLooks looks, int from = 0, int count = 20) =>
            Check(id) ?? Answers.CheckPage(from, count) ?? await looks.StagesAsync(id, from, count));
        endpoints.MapGet("/api/sweeps/{id}/events", (string id, SweepLooks looks, Feeds feeds, HttpContext context) =>
            Check(id) is { } wrong
                ? wrong.ExecuteAsync(context)
                : feeds.StreamAsync(
                    context, s_streamEvery, new FeedPart("sweep", () => looks.OneAsync(id)),
                    new FeedPart("stages", () => looks.StagesAsync(id, 0, StagesOfAStream))));
    }

    /// <summary>A name that no sweep can have must not wake a grain.</summary>
    static Answer? Check(string id) => SweepId().IsMatch(id) ? null : Answers.NoSweep;

    [GeneratedRegex(@"\A[0-9a-f]{16}\z")]
    private static partial Regex SweepId();
}

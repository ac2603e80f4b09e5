using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Hosting;
using Taba.Silo.Engines;
using Taba.Silo.Web.Json;
using Taba.Silo.Workers;

namespace Taba.Silo.Web;

/// <summary>
/// Whether this silo has started, takes work, and is of any more use. It asks no grain: a silo is not ended because another one is slow.
/// </summary>
sealed class Health(
    IHostApplicationLifetime lifetime, IClusterMembershipService membership, ILocalSiloDetails silo, PartWorker worker,
    IEngineWatch engines)
{
    /// <summary>It has joined its cluster.</summary>
    public IReadOnlyList<string> Startup => lifetime.ApplicationStarted.IsCancellationRequested ? [] : ["the silo is joining its cluster"];

    /// <summary>Its device works. A process whose device hangs or is broken is to be started again.</summary>
    public IReadOnlyList<string> Live => engines.Trouble is { IsCompletedSuccessfully: true, Result: var trouble } ? [trouble.What] : [];

    /// <summary>It is a member and takes work.</summary>
    public IReadOnlyList<string> Ready
    {
        get
        {
            var reasons = new List<string>([.. Startup, .. Live]);
            if (worker.IsDraining || lifetime.ApplicationStopping.IsCancellationRequested)
                reasons.Add("the silo takes no new work: it drains, or has not been given any sweep");
            if (membership.CurrentSnapshot.GetSiloStatus(silo.SiloAddress) is var status and not SiloStatus.Active)
                reasons.Add($"the silo is {status} in its cluster");
            return reasons;
        }
    }
}

static class HealthPages
{
    public static void MapHealth(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGet("/health/startup", (Health health) => Answer(health.Startup));
        endpoints.MapGet("/health/ready", (Health health) => Answer(health.Ready));
        endpoints.MapGet("/health/live", (Health health) => Answer(health.Live));
    }

    static JsonHttpResult<HealthView> Answer(IReadOnlyList<string> reasons) => TypedResults.Json(
        new HealthView(reasons.Count == 0 ? "ok" : "not ok", reasons), ViewJson.Default.HealthView,
        statusCode: reasons.Count == 0 ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable);
}

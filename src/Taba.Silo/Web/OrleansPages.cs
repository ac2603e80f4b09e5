using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Orleans.Dashboard;

namespace Taba.Silo.Web;

/// <summary>
/// The dashboard that comes with Orleans: which grains there are, and how their calls fare. For whoever works on Taba itself, so it is off
/// unless somebody asks for it.
/// </summary>
static class OrleansPages
{
    const string Path = "/orleans";

    /// <summary>Its page sets styles from scripts, and loads nothing from elsewhere.</summary>
    const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; "
        + "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

    /// <summary>
    /// Counts calls, on every silo of the cluster. Its log stays hidden: it would show what the silo's own filters hold back.
    /// </summary>
    public static void AddOrleansPages(this ISiloBuilder silo, WebSettings settings)
    {
        if (settings.OrleansDashboard)
            silo.AddDashboard(o => o.HideTrace = true);
    }

    public static void MapOrleansPages(this IEndpointRouteBuilder endpoints, WebSettings settings)
    {
        if (settings.OrleansDashboard)
        {
            endpoints.MapOrleansDashboard(Path).AddEndpointFilter((context, next) =>
            {
                context.HttpContext.Response.Headers.ContentSecurityPolicy = Policy;
                return next(context);
            });
        }
    }
}

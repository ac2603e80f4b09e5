using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Taba.Silo.Web.Json;

namespace Taba.Silo.Web.Access;

/// <summary>Whether a token is needed, and the exchange of the token for a cookie.</summary>
static class SessionPages
{
    /// <param name="cluster">The name of the cluster; null of an embedded run.</param>
    public static void MapSessions(this IEndpointRouteBuilder endpoints, Gate gate, string? cluster)
    {
        endpoints.MapGet("/api/session", (HttpContext context) => TypedResults.Json(
            new SessionView(gate.NeedsToken, gate.IsIn(context), ProgramVersion.Own.Build, cluster), ViewJson.Default.SessionView))
            .WithMetadata(OpenToAll.Mark);
        endpoints.MapPost("/api/session", async (HttpContext context) => await TokenAsync(context.Request) is { } given
            ? gate.SignIn(context, given) ?? (IResult)TypedResults.NoContent()
            : Answers.Error(StatusCodes.Status400BadRequest, "send {\"token\": \"...\"} as application/json"))
            .WithMetadata(OpenToAll.Mark);
        endpoints.MapDelete("/api/session", (HttpContext context) =>
        {
            Sessions.End(context);
            return TypedResults.NoContent();
        }).WithMetadata(OpenToAll.Mark);
    }

    static async Task<string?> TokenAsync(HttpRequest request)
    {
        if (!request.HasJsonContentType())
            return null;
        try
        {
            var sent = await JsonSerializer.DeserializeAsync(
                request.Body, ViewJson.Default.TokenView, request.HttpContext.RequestAborted);
            return sent?.Token;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

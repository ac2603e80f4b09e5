using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Net.Http.Headers;
using Taba.Silo.Web.Json;

namespace Taba.Silo.Web.Samples;

/// <summary>Rows of stages as pictures.</summary>
static partial class SamplePages
{
    public static void MapSamples(this IEndpointRouteBuilder endpoints) => endpoints.MapGet(
        "/api/stages/{key}/samples/{row:int:min(0)}.png",
        (string key, int row, SamplePictures pictures, HttpContext context, int scale = 1) =>
            AnswerAsync(key, row, scale, pictures, context));

    static async Task<IResult> AnswerAsync(string key, int row, int scale, SamplePictures pictures, HttpContext context)
    {
        // A name that no stage can have must not reach the store.
        if (!StageName().IsMatch(key) || row == int.MaxValue)
            return Answers.Error(StatusCodes.Status404NotFound, "there is no such stage");
        try
        {
            if (await pictures.FindAsync(key, row).WaitAsync(Answers.Patience, context.RequestAborted) is not { } found)
                return Answers.Error(StatusCodes.Status404NotFound, $"row {row} of this stage is not published yet, or is no picture");
            var drawn = SamplePictures.ScaleOf(found, scale);
            var tag = new EntityTagHeaderValue($"\"{found.Digest[..Math.Min(16, found.Digest.Length)]}-{row}-{drawn}\"");
            var headers = context.Response.GetTypedHeaders();
            headers.ETag = tag;
            context.Response.Headers.CacheControl = "private, no-cache";
            if (context.Request.GetTypedHeaders().IfNoneMatch.Any(t => t.Compare(tag, useStrongComparison: false)))
                return TypedResults.StatusCode(StatusCodes.Status304NotModified);
            if (await pictures.DrawAsync(found, drawn, context.RequestAborted) is { } png)
                return TypedResults.Bytes(png, "image/png");
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            return TypedResults.Empty;
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            return Answers.Error(StatusCodes.Status503ServiceUnavailable, "the store does not answer now: ask again");
        }
        return Answers.Error(StatusCodes.Status503ServiceUnavailable, "too many pictures are asked for at once: ask again");
    }

    [GeneratedRegex(@"\A[0-9a-f]{1,64}\z")]
    private static partial Regex StageName();
}

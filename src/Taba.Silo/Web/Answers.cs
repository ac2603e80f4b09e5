using Microsoft.AspNetCore.Http;

namespace Taba.Silo.Web;

/// <summary>What every page answers alike.</summary>
static class Answers
{
    /// <summary>The most entries of a list in one answer.</summary>
    public const int MostEntries = 500;

    /// <summary>A grain of a cluster in trouble answers late or not at all, and a page must not wait with it.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    public static IResult Error(int status, string sentence) =>
        TypedResults.Json(new ErrorView(sentence), ViewJson.Default.ErrorView, statusCode: status);

    public static Task ErrorAsync(HttpContext context, int status, string sentence) => Error(status, sentence).ExecuteAsync(context);

    /// <summary>The answer of grains, or 503 when they give none in time.</summary>
    public static async Task<IResult> AskAsync(Func<Task<IResult>> ask, TimeProvider time)
    {
        try
        {
            return await ask().WaitAsync(Patience, time);
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            // What it was may name hosts and databases: that is for the log of whoever failed.
            return Error(StatusCodes.Status503ServiceUnavailable, "the cluster does not answer now: ask again");
        }
    }

    /// <summary>The page that a request asks for; null with an answer when it asks for what there is not.</summary>
    public static IResult? CheckPage(int from, int count) => from < 0 || count is < 1 or > MostEntries
        ? Error(StatusCodes.Status400BadRequest, $"from is {from} and count {count}: from is at least 0, and count 1 to {MostEntries}")
        : null;
}

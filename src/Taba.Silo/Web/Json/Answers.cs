using Microsoft.AspNetCore.Http;
using Taba.Grains.Errors;

namespace Taba.Silo.Web.Json;

/// <summary>What every page answers alike.</summary>
static class Answers
{
    /// <summary>The most entries of a list in one answer.</summary>
    public const int MostEntries = 500;

    /// <summary>A grain of a cluster in trouble answers late or not at all, and a page must not wait with it.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    public static Answer Error(int status, string sentence) => Answer.Of(new(sentence), ViewJson.Default.ErrorView, status);

    public static Answer NoSweep { get; } =
        Error(StatusCodes.Status404NotFound, "there is no such sweep: /api/sweeps lists them");

    public static Answer NoStage { get; } =
        Error(StatusCodes.Status404NotFound, "there is no such stage: /api/sweeps/ID/stages lists them");

    public static Task ErrorAsync(HttpContext context, int status, string sentence) => Error(status, sentence).ExecuteAsync(context);

    /// <summary>The answer of grains, or 503 when they give none in time.</summary>
    public static async Task<Answer> AskAsync(Func<Task<Answer>> ask, TimeProvider time)
    {
        try
        {
            return await ask().WaitAsync(Patience, time);
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            // What it was may name hosts and databases: that is for the log of whoever failed.
            return CallException.In(exception) is { Kind: CallFault.Unknown }
                ? NoSweep
                : Error(StatusCodes.Status503ServiceUnavailable, "the cluster does not answer now: ask again");
        }
    }

    /// <summary>Null when a list has such a page; else what is wrong with it.</summary>
    public static Answer? CheckPage(int from, int count, int most = MostEntries) => from < 0 || count < 1 || count > most
        ? Error(StatusCodes.Status400BadRequest, $"from is {from} and count {count}: from is at least 0, and count 1 to {most}")
        : null;
}

using Microsoft.AspNetCore.Http;
using Taba.Grains.Sweeps;
using Taba.Grains.Words;
using Taba.Silo.Web.Json;

namespace Taba.Silo.Web.Sweeps;

/// <summary>Pauses, resumes, cancels and retries sweeps for whoever looks at them.</summary>
sealed class SweepSteering(IGrainFactory grains, SweepLooks looks, TimeProvider time)
{
    /// <summary>Who that was, in the sweep's log: whoever has the token has no other name.</summary>
    const string User = "the dashboard";

    /// <returns>The sweep as it is afterwards; 409 when the verb changes nothing.</returns>
    public Task<Answer> SteerAsync(string id, SweepVerb verb) => Answers.AskAsync(async () =>
    {
        var sweep = grains.GetGrain<ISweepGrain>(id);
        if (await sweep.GetPlanAsync() is not { } plan)
            return Answers.NoSweep;
        if (Steering.Refusal(verb, plan.Name, await sweep.GetStatusAsync()) is { } refusal)
            return Answers.Error(StatusCodes.Status409Conflict, refusal);
        Requester.Send(User);
        await (verb switch
        {
            SweepVerb.Pause => sweep.PauseAsync(),
            SweepVerb.Resume => sweep.ResumeAsync(),
            SweepVerb.Cancel => sweep.CancelAsync(),
            _ => sweep.RetryAsync(),
        });
        return await looks.OneNowAsync(id);
    }, time);
}

using System.CommandLine;
using System.Text.Json;
using Taba.Client.Clusters;
using Taba.Client.Progress;
using Taba.Grains;
using Taba.Grains.Sweeps;
using Taba.Grains.Words;

namespace Taba.Client.Commands;

/// <summary><c>taba pause</c>, <c>resume</c>, <c>cancel</c>, <c>retry</c>. What would change nothing is said, and is bad input.</summary>
static class SteerCommands
{
    public static IEnumerable<Command> Create(CommandServices services) =>
    [
        Steer(services, SweepVerb.Pause, "Hands out no more work of a sweep until it is resumed; parts that are out are finished."),
        Steer(services, SweepVerb.Resume, "Hands out work of a paused sweep again."),
        Steer(services, SweepVerb.Cancel, "Ends a sweep. What was published stays; submitting it again goes on from there."),
        Steer(services, SweepVerb.Retry, "Tries failed samples again, of a sweep that lives, ended, stopped or was cancelled."),
    ];

    static Command Steer(CommandServices services, SweepVerb verb, string description)
    {
        var flags = new ClusterFlags();
        var name = verb.ToString().ToLowerInvariant();
        var id = new Argument<string>("ID") { Description = SweepCommands.IdDescription };
        var command = flags.AddTo(new Command(name, description) { id });
        command.SetAction(async (parsed, interrupted) =>
        {
            await using var sweeps = await ClusterSweeps.OpenAsync(flags.Cluster(parsed), services.Terminal, interrupted);
            var sweep = await sweeps.FindAsync(parsed.GetValue(id)!, interrupted);
            var grain = sweeps.Grains.GetGrain<ISweepGrain>(sweep.SweepId);
            var called = $"Sweep {sweep.SweepId} ({sweep.Name})";
            // Looked at once, before the first call: a call whose answer was lost is made again, and its second answer says nothing new.
            var plan = await sweeps.AskAsync(async () => await grain.GetPlanAsync(), interrupted);
            if (plan is not null && Steering.Refusal(verb, called, await sweeps.AskAsync(
                async () => await grain.GetStatusAsync(), interrupted)) is { } refusal && !IsListedWrongly(verb, sweep))
                throw new BadInputException(refusal);
            if (plan is null && verb is not SweepVerb.Cancel)
                await sweeps.PlanAsync(sweep, interrupted);
            await sweeps.AskAsync(
                async () =>
                {
                    Requester.Send(Requester.OfProcess);
                    await CallAsync(grain, verb);
                    return true;
                },
                interrupted);
            if (plan is null)
            {
                services.Terminal.Output.WriteLine($"{called}: its plan was lost, and the list has it no more as one that lives.");
                return ExitStatus.Done;
            }
            var status = await sweeps.AskAsync(async () => await grain.GetStatusAsync(), interrupted);
            var waits = WaitLines.ByStage(plan, status, StageNames.Of(plan), WaitKnowledge.None);
            services.Terminal.Output.WriteLine(flags.Json(parsed)
                ? JsonSerializer.Serialize(SweepJson.Of(plan, status, waits))
                : $"{sweep.SweepId} ({sweep.Name}): {SweepText.Word(status.State)}");
            return ExitStatus.Done;
        });
        return command.WithExamples($"taba {name} 3f9a", $"taba {name} forward-replacement --cluster lab");
    }

    /// <summary>A database that lost the sweep's end lists it still: to cancel it tells everyone once more.</summary>
    static bool IsListedWrongly(SweepVerb verb, SweepEntry sweep) => verb is SweepVerb.Cancel && sweep.Ended is null;

    static Task CallAsync(ISweepGrain grain, SweepVerb verb) => verb switch
    {
        SweepVerb.Pause => grain.PauseAsync(),
        SweepVerb.Resume => grain.ResumeAsync(),
        SweepVerb.Cancel => grain.CancelAsync(),
        _ => grain.RetryAsync(),
    };
}

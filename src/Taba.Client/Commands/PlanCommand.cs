using System.CommandLine;
using Taba.Client.Planning;

namespace Taba.Client.Commands;

/// <summary><c>taba plan SWEEP.yaml [key=value ...]</c></summary>
static class PlanCommand
{
    public static Command Create(CommandServices services)
    {
        var file = new SweepFileArguments("safetensors");
        var command = new Command("plan", "Says what a sweep would run, reuse and write. Touches nothing.");
        file.AddTo(command);
        command.SetAction(async (parsed, interrupted) =>
        {
            var job = file.Job(parsed, services);
            return await services.OnHostAsync(job, async host =>
            {
                var plan = host.Plan(job.Spec, job.StoreRoot);
                var estimate = await PlanEstimate.OfAsync(host, job, plan, interrupted);
                if (job.Json)
                    PlanTable.WriteJson(services.Terminal.Output, plan, estimate, job.Folder);
                else
                    PlanTable.Write(services.Terminal.Output, plan, estimate, job.Folder);
                return ExitStatus.Done;
            }, interrupted);
        });
        return command.WithExamples("taba plan configs/demo.yaml", "taba plan configs/demo.yaml samples=10240 --json");
    }
}

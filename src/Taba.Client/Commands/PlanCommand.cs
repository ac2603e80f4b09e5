using System.CommandLine;

namespace Taba.Client.Commands;

/// <summary><c>taba plan SWEEP.yaml [key=value ...]</c></summary>
static class PlanCommand
{
    public static Command Create(CommandServices services)
    {
        var file = new SweepFileArguments("safetensors", runs: false);
        var command = new Command("plan", "Says what a sweep would run, reuse and write. Touches nothing.");
        file.AddTo(command);
        command.SetAction((parsed, interrupted) => services.PlanAsync(file.Job(parsed, services), interrupted));
        return command.WithExamples("taba plan configs/demo.yaml", "taba plan configs/demo.yaml samples=10240 --json",
            "taba plan configs/paper/forward.yaml");
    }
}

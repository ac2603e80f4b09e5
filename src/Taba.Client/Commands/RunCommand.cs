using System.CommandLine;

namespace Taba.Client.Commands;

/// <summary><c>taba run SWEEP.yaml [key=value ...]</c></summary>
static class RunCommand
{
    public static Command Create(CommandServices services)
    {
        var file = new SweepFileArguments("safetensors", runs: true);
        var command = new Command("run", "Runs a sweep, or continues it where it stopped. Prints the output folders.");
        file.AddTo(command);
        command.SetAction((parsed, interrupted) => services.RunAsync(file.Job(parsed, services), interrupted));
        return command.WithExamples(
            "taba run configs/demo.yaml", "taba run configs/demo.yaml samples=64 num_inference_steps=[10,50]",
            "taba run sweep.yaml --out results --device cuda",
            "taba run sweep.yaml --cluster lab --detach", "taba run sweep.yaml --cluster lab --out blob:june");
    }
}

using System.CommandLine;
using Taba.Client.Pulling;
using Taba.Silo.Models;

namespace Taba.Client.Commands;

/// <summary><c>taba models pull NAME</c></summary>
static class ModelsPullCommand
{
    public static Command Create(CommandServices services)
    {
        var name = new Argument<string>(
            "NAME")
        {
            Description =
                $"A known model (taba models list), a repository of the hub as organization/name, or {ModelPull.DatasetName}: the "
                + "prompts of 'dataset'."
        };
        name.CompletionSources.Add([.. KnownModels.All.Select(m => m.Name)]);
        var revision = Flags.Of<string?>("revision", "A branch, tag or commit of the repository. The default is main.");
        var variant = Flags.Of<string?>("variant", "The variant of the weights, such as fp16. The default is the model's own choice.");
        var json = Flags.Switch("json", "Machine-readable lines, no colours.");
        var command = new Command(
            "pull", "Downloads a model into the cache, or continues to. Prints where it is.") { name, revision, variant, json };
        command.SetAction(async (parsed, interrupted) =>
        {
            var request = new PullRequest(
                parsed.GetValue(name)!, parsed.GetValue(revision), parsed.GetValue(variant), parsed.GetValue(json));
            await ModelPull.RunAsync(request, services.Terminal, interrupted);
            return ExitStatus.Done;
        });
        return command.WithExamples(
            "taba models pull adm-32", "taba models pull if-i-xl", "taba models pull organization/name --revision main --variant fp16");
    }
}

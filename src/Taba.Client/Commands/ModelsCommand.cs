using System.CommandLine;

namespace Taba.Client.Commands;

/// <summary><c>taba models list|pull|check|describe</c></summary>
static class ModelsCommand
{
    public static Command Create(CommandServices services) =>
        new Command("models", "Known models, their download, and whether weights fit their architecture.")
        {
            ModelsListCommand.Create(services), ModelsPullCommand.Create(services), ModelsCheckCommand.Create(services),
            ModelsDescribeCommand.Create(services),
        }.WithExamples(
            "taba models list", "taba models pull adm-32", "taba models check my-model/model.json", "taba models describe my_adm.pt");
}

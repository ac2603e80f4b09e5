using System.CommandLine;

namespace Taba.Client.Commands;

/// <summary><c>taba store ls|verify|repair|prune</c></summary>
static class StoreCommand
{
    public static Command Create(CommandServices services) =>
        new Command("store", "What a store holds, whether it can be read, and what no run needs any more.")
        {
            StoreListCommand.Create(services),
            StoreVerifyCommand.Create(services, repair: false),
            StoreVerifyCommand.Create(services, repair: true),
            StorePruneCommand.Create(services),
        }.WithExamples("taba store ls", "taba store verify --cluster lab", "taba store prune --dry_run");
}

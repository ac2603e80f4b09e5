using System.CommandLine;
using System.Text.Json;
using Taba.Client.Folders;
using Taba.Client.Planning;
using Taba.Grains;

namespace Taba.Client.Commands;

/// <summary><c>taba merge DIR ... --save_dir DIR</c></summary>
static class MergeCommand
{
    public static Command Create(CommandServices services)
    {
        var folders = new Argument<string[]>(
            "DIR")
        { Description = "The folders of all parts, in any order.", Arity = ArgumentArity.OneOrMore };
        var saveDir = Flags.Of<string?>("save_dir", "The folder of the whole run.");
        var json = Flags.Switch("json", "Machine-readable lines, no colours.");
        var command = new Command(
            "merge", "Puts the parts of an --n_parts run together, as if it had not been cut.") { folders, saveDir, json };
        command.SetAction((parsed, interrupted) =>
        {
            var target = parsed.GetValue(saveDir) ?? throw new BadInputException(
                "--save_dir is missing: give the folder of the whole run.");
            OutputPlace.Require(target, "choose another folder with --save_dir");
            var tensors = FolderMerge.Merge(parsed.GetValue(folders)!, target, interrupted);
            services.Terminal.Output.WriteLine(parsed.GetValue(json) ? JsonSerializer.Serialize(new { folder = target, tensors }) : target);
            return Task.FromResult(ExitStatus.Done);
        });
        return command.WithExamples("taba merge out/base_part_0 out/base_part_1 out/base_part_2 --save_dir out/base");
    }
}

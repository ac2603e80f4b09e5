using System.CommandLine;
using System.CommandLine.Help;

namespace Taba.Client.Commands;

/// <summary>Gives commands their help, which ends with examples.</summary>
static class Examples
{
    public static T WithExamples<T>(this T command, params string[] lines)
        where T : Command
    {
        var option = command.Options.OfType<HelpOption>().FirstOrDefault();
        if (option is null)
            command.Options.Add(option = new HelpOption());
        option.Action = new CommandHelp(lines);
        return command;
    }
}

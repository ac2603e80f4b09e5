using System.CommandLine;
using System.CommandLine.Help;

namespace Taba.Client.Commands;

/// <summary>Gives commands their help, which ends with examples.</summary>
static class Examples
{
    public static T WithExamples<T>(this T command, params string[] lines)
        where T : Command
    {
        // The root command brings one that answers to /h too, which is the beginning of a path here.
        if (command.Options.OfType<HelpOption>().FirstOrDefault() is { } given)
            command.Options.Remove(given);
        command.Options.Add(new HelpOption("--help", "-h", "-?") { Action = new CommandHelp(lines) });
        return command;
    }
}

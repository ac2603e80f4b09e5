using System.CommandLine;
using System.CommandLine.Help;

namespace Taba.Client.Commands;

/// <summary>Examples below a command's help.</summary>
static class Examples
{
    public static T WithExamples<T>(this T command, params string[] lines)
        where T : Command
    {
        var help = command.Options.OfType<HelpOption>().FirstOrDefault();
        if (help is null)
            command.Options.Add(help = new HelpOption());
        var builder = new HelpBuilder();
        builder.CustomizeLayout(context => HelpBuilder.Default.GetLayout().Append(c =>
        {
            c.Output.WriteLine("Examples:");
            foreach (var line in lines)
                c.Output.WriteLine($"  {line}");
            return true;
        }));
        help.Action = new HelpAction { Builder = builder };
        return command;
    }
}

using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Taba.Client.Commands;

/// <summary>Examples below a command's help.</summary>
static class Examples
{
    public static T WithExamples<T>(this T command, params string[] lines)
        where T : Command
    {
        var option = command.Options.OfType<HelpOption>().FirstOrDefault();
        if (option is null)
            command.Options.Add(option = new HelpOption());
        option.Action = new HelpWithExamples(new HelpAction(), lines);
        return command;
    }

    sealed class HelpWithExamples(HelpAction help, IReadOnlyList<string> lines) : SynchronousCommandLineAction
    {
        public override bool ClearsParseErrors => true;

        public override int Invoke(ParseResult parseResult)
        {
            help.Invoke(parseResult);
            var output = parseResult.InvocationConfiguration.Output;
            output.WriteLine("Examples:");
            foreach (var line in lines)
                output.WriteLine($"  {line}");
            return ExitStatus.Done;
        }
    }
}

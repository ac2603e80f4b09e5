using Taba.Client;
using Taba.Client.Commands;
using Taba.Client.Embedded;
using Taba.Client.Hosts;
using Taba.Testing.Commands;

namespace Taba.Testing.Client;

/// <summary>
/// The command <c>taba</c> in this process. Its paths are absolute: the working directory is the tests', and shared by all that run side
/// by side. It downloads nothing and sees none of the user's models and settings.
/// </summary>
public static class InProcess
{
    static InProcess() => Isolation.Begin();

    /// <summary>Runs a command to its end.</summary>
    public static Task<CommandResult> RunAsync(params IEnumerable<string> arguments) => RunAsync([.. arguments], CancellationToken.None);

    /// <summary>Runs a command to its end.</summary>
    /// <param name="arguments">The command line.</param>
    /// <param name="interrupted">Ctrl-C.</param>
    public static Task<CommandResult> RunAsync(IReadOnlyList<string> arguments, CancellationToken interrupted) =>
        RunAsync(arguments, new EmbeddedRun(), new StringWriter(), interrupted);

    /// <summary>Runs a command and requires that it is done, undisturbed.</summary>
    /// <exception cref="CommandException">It is not.</exception>
    public static async Task<CommandResult> DoneAsync(params IEnumerable<string> arguments)
    {
        var done = (await RunAsync(arguments)).ShouldEnd(ExitStatus.Done);
        // Nobody disturbs such a run: no work is taken from it.
        return done.Errors.Contains("is lost", StringComparison.Ordinal) ? throw new CommandException(
            $"{done.Command} lost work: {done.Errors}") : done;
    }

    /// <summary>Runs a command with settings in its environment, which is the process': no other command may run beside it.</summary>
    public static async Task<CommandResult> RunAsync(IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string> settings)
    {
        var before = settings.Keys.ToDictionary(name => name, Environment.GetEnvironmentVariable);
        foreach (var (name, value) in settings)
            Environment.SetEnvironmentVariable(name, value);
        try
        {
            return await RunAsync(arguments, CancellationToken.None);
        }
        finally
        {
            foreach (var (name, value) in before)
                Environment.SetEnvironmentVariable(name, value);
        }
    }

    /// <summary>Runs a command on a host of the test's.</summary>
    internal static async Task<CommandResult> RunAsync(
        IReadOnlyList<string> arguments, IRunHost host, StringWriter errors, CancellationToken interrupted)
    {
        using var output = new StringWriter();
        using (errors)
        {
            var status = await TabaCommand.RunAsync(
                [.. arguments], new Terminal(output, errors, false, TimeProvider.System), host, interrupted);
            return new($"taba {string.Join(' ', arguments)}", status, output.ToString(), errors.ToString());
        }
    }
}

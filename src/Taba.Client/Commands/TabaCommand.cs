using System.CommandLine;
using Orleans.Serialization;
using Taba.Client.Hosts;
using Taba.Diffusion.Weights;
using Taba.Grains;
using Taba.Grains.Errors;
using Taba.Silo.Faults;
using Taba.Storage.Manifests;
using Taba.Storage.Objects;

namespace Taba.Client.Commands;

/// <summary>The <c>taba</c> command: parses, runs, and turns every outcome into an exit status and one sentence.</summary>
static class TabaCommand
{
    /// <summary>Runs a command line.</summary>
    /// <param name="interrupted">Cancelled by the first Ctrl-C or SIGTERM.</param>
    /// <returns>An <see cref="ExitStatus"/>.</returns>
    public static async Task<int> RunAsync(string[] args, Terminal terminal, IRunHost host, CancellationToken interrupted)
    {
        var commandLine = terminal.Command.Line(args);
        terminal = terminal with { Json = Terminal.IsAskedForJson(args) };
        try
        {
            var root = Create(new CommandServices(terminal, host, commandLine));
            var parsed = root.Parse(
                KeyValueArguments.AsOptions(root, [.. args.Select(HomeArguments.Expand)]),
                new ParserConfiguration { ResponseFileTokenReplacer = null });
            if (ParseComplaint.Of(parsed) is { } complaint)
                throw new BadInputException(complaint);
            return await parsed.InvokeAsync(
                new InvocationConfiguration
                {
                    Output = terminal.Output,
                    Error = terminal.Error,
                    EnableDefaultExceptionHandler = false,
                    ProcessTerminationTimeout = null,
                },
                interrupted);
        }
        catch (Exception e)
        {
            var (status, sentence) = Explain(e, commandLine, interrupted);
            terminal.Complain(status, sentence ?? "This is a fault of taba itself, please report it:", sentence is null ? $"{e}" : null);
            return status;
        }
    }

    /// <returns>The sentence is null where nobody expected the error.</returns>
    static (int Status, string? Sentence) Explain(Exception e, string commandLine, CancellationToken interrupted)
    {
        var cause = Cause(e);
        var sentence = Sentences.Of(cause.Message);
        switch (cause)
        {
            case BadInputException or CallRefusedException or WeightsFormatException or DllNotFoundException:
                return (ExitStatus.BadInput, sentence);
            case InterruptedException when interrupted.IsCancellationRequested:
                return (ExitStatus.Interrupted, sentence);
            case OperationCanceledException when interrupted.IsCancellationRequested:
                return (ExitStatus.Interrupted, $"Interrupted. What was done is kept; to go on: {commandLine}");
            case RunFailedException { Begun: false }:
                return (ExitStatus.Failed, Sentences.Of(e.Message));
            case CallException { Kind: CallFault.BadInput or CallFault.Unknown }:
                return (ExitStatus.BadInput, sentence);
            case CallException { Kind: CallFault.Unreadable }:
                return (ExitStatus.Failed, sentence);
            case CallException { Kind: CallFault.Unexpected }:
                return (ExitStatus.Failed, $"This is a fault of taba itself, please report it: {sentence}");
            // Only the user can mend it: the same command would fail in the same way.
            case Exception disk when DiskErrors.NeedsUser(disk):
                return (ExitStatus.BadInput, sentence);
            case RunFailedException or CallException or StoreException or IOException or UnauthorizedAccessException:
                return (ExitStatus.Failed, $"{sentence} What was done is kept; to go on: {commandLine}");
            case SerializerException:
                return (
                    ExitStatus.Failed,
                    $"The cluster answers what this version of taba cannot read ({sentence}) Use the version of its silos.");
            case { } passing when PassingErrors.OfSilos(passing):
                return (ExitStatus.Failed, $"What computes does not answer: {sentence} To go on: {commandLine}");
            default:
                return (ExitStatus.Failed, null);
        }
    }

    /// <summary>The exception within the wrappings of grain calls and type initializers, if it has a sentence of its own.</summary>
    static Exception Cause(Exception e)
    {
        for (var inner = e; inner is not null; inner = inner.InnerException)
        {
            if (inner is BadInputException or DllNotFoundException)
                return inner;
        }
        return FaultMonitor.StoreFault(e) ?? CallException.In(e) ?? e;
    }

    public static RootCommand Create(CommandServices services)
    {
        var root = new RootCommand("Sweeps of diffusion-model sampling, DDIM inversion, reconstruction, and interventions on inversion.")
        {
            RunCommand.Create(services),
            PlanCommand.Create(services),
            FamilyCommand.Create(services, UpstreamScript.Sample),
            FamilyCommand.Create(services, UpstreamScript.Swap),
            FamilyCommand.Create(services, UpstreamScript.Forward),
            MeasureCommand.Create(services),
            ReportCommand.Create(services),
            CompareCommand.Create(services),
            MergeCommand.Create(services),
            ExportCommand.Create(services),
            ModelsCommand.Create(services),
            StoreCommand.Create(services),
            ClusterCommand.Create(services),
            DoctorCommand.Create(services),
            CompletionCommand.Create(services),
            BenchCommand.Create(services),
        };
        foreach (var command in SweepCommands.Create(services))
            root.Subcommands.Add(command);
        root.WithExamples(
            "taba run configs/demo.yaml", "taba plan configs/demo.yaml samples=1024",
            "taba sample adm --model demo --n_samples 64 --with_inversion");
        return root;
    }
}

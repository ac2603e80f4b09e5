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
        var commandLine = CommandLineText.Of(args);
        try
        {
            var root = Create(new CommandServices(terminal, host, commandLine));
            var parsed = root.Parse([.. args.Select(HomeArguments.Expand)], new ParserConfiguration { ResponseFileTokenReplacer = null });
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
            return Explain(e, terminal, commandLine, interrupted);
        }
    }

    static int Explain(Exception e, Terminal terminal, string commandLine, CancellationToken interrupted)
    {
        switch (Cause(e))
        {
            case BadInputException or CallRefusedException or WeightsFormatException or DllNotFoundException:
                terminal.Error.WriteLine(Sentences.Of(Cause(e).Message));
                return ExitStatus.BadInput;
            case OperationCanceledException when interrupted.IsCancellationRequested:
                terminal.Error.WriteLine($"Interrupted. What was done is kept; to go on: {commandLine}");
                return ExitStatus.Interrupted;
            case RunFailedException { Begun: false }:
                terminal.Error.WriteLine(Sentences.Of(e.Message));
                return ExitStatus.Failed;
            case CallException { Kind: CallFault.BadInput or CallFault.Unknown } refused:
                terminal.Error.WriteLine(Sentences.Of(refused.Message));
                return ExitStatus.BadInput;
            case CallException { Kind: CallFault.Unreadable } unreadable:
                terminal.Error.WriteLine(Sentences.Of(unreadable.Message));
                return ExitStatus.Failed;
            case CallException { Kind: CallFault.Unexpected } fault:
                terminal.Error.WriteLine($"This is a fault of taba itself, please report it: {Sentences.Of(fault.Message)}");
                return ExitStatus.Failed;
            case RunFailedException or CallException or StoreException or IOException or UnauthorizedAccessException:
                terminal.Error.WriteLine($"{Sentences.Of(Cause(e).Message)} What was done is kept; to go on: {commandLine}");
                return ExitStatus.Failed;
            case SerializerException other:
                terminal.Error.WriteLine(
                    $"The cluster answers what this version of taba cannot read ({Sentences.Of(other.Message)}) Use the version of its "
                    + "silos.");
                return ExitStatus.Failed;
            case { } passing when PassingErrors.OfSilos(passing):
                terminal.Error.WriteLine($"What computes does not answer: {Sentences.Of(passing.Message)} To go on: {commandLine}");
                return ExitStatus.Failed;
            default:
                terminal.Error.WriteLine($"This is a fault of taba itself, please report it: {e}");
                return ExitStatus.Failed;
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

    static RootCommand Create(CommandServices services)
    {
        var root = new RootCommand("Sweeps of diffusion-model sampling, DDIM inversion, reconstruction, and interventions on inversion.")
        {
            RunCommand.Create(services),
            PlanCommand.Create(services),
            FamilyCommand.Create(services, UpstreamScript.Sample),
            FamilyCommand.Create(services, UpstreamScript.Swap),
            FamilyCommand.Create(services, UpstreamScript.Forward),
            ReportCommand.Create(services),
            MergeCommand.Create(services),
            ExportCommand.Create(services),
            ModelsCommand.Create(services),
            StoreCommand.Create(services),
            ClusterCommand.Create(services),
            DoctorCommand.Create(services),
        };
        foreach (var command in SweepCommands.Create(services))
            root.Subcommands.Add(command);
        root.WithExamples(
            "taba run configs/demo.yaml", "taba plan configs/demo.yaml samples=1024",
            "taba sample adm --model demo --n_samples 64 --with_inversion");
        return root;
    }
}

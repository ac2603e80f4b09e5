using Taba.Client;
using Taba.Client.Commands;
using Taba.Client.Embedded;
using Taba.Diffusion.Native;
using Taba.Storage.Objects;

if (OpenFiles.Lack(OpenFiles.ToBegin, OpenFiles.Most) is { } lack)
{
    Console.Error.WriteLine(lack);
    return ExitStatus.BadInput;
}
var (output, _) = StandardStreams.Secure();
FilePermissions.KeepOthersFromWriting();
TorchProcess.Configure();
using var interrupts = new Interrupts();
var terminal = Terminal.OfProcess(args);
var status = await TabaCommand.RunAsync(args, terminal, new EmbeddedRun(), interrupts.First);
if (status != ExitStatus.Done || output.Failure is not { } failure)
    return status;
// What was asked for is done, but whoever reads the output lacks a part of it.
terminal.Complain(
    ExitStatus.Failed, $"Standard output could not be written: {Sentences.Of(failure.Message)} The same command prints it again.");
return ExitStatus.Failed;

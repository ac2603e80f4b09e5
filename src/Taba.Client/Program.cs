using Taba.Client;
using Taba.Client.Commands;
using Taba.Client.Embedded;
using Taba.Diffusion.Native;
using Taba.Storage.Objects;

FilePermissions.KeepOthersFromWriting();
TorchProcess.Configure();
using var interrupts = new Interrupts();
return await TabaCommand.RunAsync(args, Terminal.OfProcess(), new EmbeddedRun(), interrupts.First);

using Taba.Client;
using Taba.Client.Commands;
using Taba.Client.Embedded;

using var interrupts = new Interrupts();
return await TabaCommand.RunAsync(args, Terminal.OfProcess(), new EmbeddedRun(), interrupts.First);

using Taba.Diffusion.Native;
using Taba.Silo.Clusters;
using Taba.Storage.Objects;

FilePermissions.KeepOthersFromWriting();
TorchProcess.Configure();
return await SiloProgram.RunAsync(args);

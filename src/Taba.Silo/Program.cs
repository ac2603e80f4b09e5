using Taba.Diffusion.Native;
using Taba.Silo.Clusters;

TorchProcess.Configure();
return await SiloProgram.RunAsync(args);

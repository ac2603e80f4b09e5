using Taba.Silo.Clusters;

return await SiloProgram.RunAsync(args);

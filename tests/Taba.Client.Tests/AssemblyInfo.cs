// Whole commands each hold a silo and an engine: one at a time is quicker than several on few cores, and closer to how they run.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]

// Every test runs the real command, which uses all cores: one after the other, nothing waits longer than it has to.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]

// A browser, silos and servers are processes, and take each other's time.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]
[assembly: Trait(Taba.Testing.Needs.Trait, Taba.Testing.Needs.Process)]

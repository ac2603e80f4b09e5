// Each class starts servers and processes of its own: one after the other, so that they do not take each other's time for a death.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]
[assembly: Trait(Taba.Testing.Needs.Trait, Taba.Testing.Needs.Process)]

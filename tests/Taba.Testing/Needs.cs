namespace Taba.Testing;

/// <summary>
/// Traits of the tests that the fast tier leaves out (CONTRIBUTING.md, "Tests"). A test that needs one of these without saying so fails in
/// that tier, so that the tier stays fast.
/// </summary>
public static class Needs
{
    /// <summary>The name of the trait.</summary>
    public const string Trait = "needs";

    /// <summary>A process: the command that is killed, a cluster, Python, a server, a mounted disk.</summary>
    public const string Process = "process";

    const string Tier = "TABA_TIER";

    /// <summary>Called before a process is started.</summary>
    /// <exception cref="InvalidOperationException">This is the fast tier.</exception>
    public static void AProcess(string what)
    {
        if (Environment.GetEnvironmentVariable(Tier) == "fast")
            throw new InvalidOperationException($"This test starts {what}: mark it with [Trait(Needs.Trait, Needs.Process)].");
    }
}

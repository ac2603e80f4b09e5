using System.Runtime.CompilerServices;

namespace Taba.Client.Tests;

/// <summary>Commands of these tests download nothing and see none of the user's models; tests of downloads have a server of their own.</summary>
static class WithoutNetwork
{
    [ModuleInitializer]
    internal static void Begin()
    {
        var nowhere = Path.Combine(Path.GetTempPath(), "taba-client-tests-no-cache");
        Environment.SetEnvironmentVariable("HF_HUB_OFFLINE", "1");
        Environment.SetEnvironmentVariable("HF_HUB_CACHE", nowhere);
        Environment.SetEnvironmentVariable("TABA_CACHE", nowhere);
    }
}

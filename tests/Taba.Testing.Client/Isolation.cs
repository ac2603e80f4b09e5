namespace Taba.Testing.Client;

/// <summary>
/// Hides the user from the tests' process: no settings, no models, no network. Tests of downloads have a server of their own.
/// </summary>
public static class Isolation
{
    static int s_begun;

    /// <summary>Begins for the whole process, the first time that it is called.</summary>
    public static void Begin()
    {
        if (Interlocked.Exchange(ref s_begun, 1) == 1)
            return;
        var nowhere = Path.Combine(Path.GetTempPath(), "taba-tests-no-cache");
        Environment.SetEnvironmentVariable("HF_HUB_OFFLINE", "1");
        Environment.SetEnvironmentVariable("HF_HUB_CACHE", nowhere);
        Environment.SetEnvironmentVariable("TABA_CACHE", nowhere);
        Environment.SetEnvironmentVariable("XDG_CONFIG_HOME", nowhere);
    }
}

using System.Runtime.InteropServices;
using Taba.Diffusion.Native;

namespace Taba.Diffusion.Tests.Native;

/// <summary>The settings of this very process, which TorchStart made when it began.</summary>
public sealed partial class TorchProcessTests
{
    [Fact]
    public void Configure_Linux_WaitingThreadsSpinBrieflyAndSleep()
    {
        if (!OperatingSystem.IsLinux())
            return;

        // What the runtime's view of the environment holds is what the user had set.
        if (Environment.GetEnvironmentVariable("OMP_WAIT_POLICY") is { } policy)
        {
            Assert.Equal(policy, Marshal.PtrToStringUTF8(GetEnv("OMP_WAIT_POLICY")));
            return;
        }
        Assert.Equal("PASSIVE", Marshal.PtrToStringUTF8(GetEnv("OMP_WAIT_POLICY")));
        Assert.Equal(Environment.GetEnvironmentVariable("GOMP_SPINCOUNT") ?? "1000", Marshal.PtrToStringUTF8(GetEnv("GOMP_SPINCOUNT")));
    }

    [Fact]
    public void Configure_NothingSet_OnlyErrorsAreWritten()
    {
        if (!OperatingSystem.IsLinux() || Environment.GetEnvironmentVariable("TORCH_CPP_LOG_LEVEL") is not null)
            return;
        const int error = 2;
        var level = NativeLibrary.GetExport(NativeLibrary.Load("libc10.so"), "FLAGS_caffe2_log_level");
        Assert.Equal(error, Marshal.ReadInt32(level));
    }

    [Fact]
    public void SetEnvironmentDefault_VariableIsSet_KeepsIt()
    {
        if (!OperatingSystem.IsLinux())
            return;
        LinuxLibc.SetEnvironmentDefault("TABA_TEST_DEFAULT", "first");
        LinuxLibc.SetEnvironmentDefault("TABA_TEST_DEFAULT", "second");

        Assert.Equal("first", Marshal.PtrToStringUTF8(GetEnv("TABA_TEST_DEFAULT")));
    }

    [LibraryImport("libc", EntryPoint = "getenv", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint GetEnv(string name);
}

using System.Runtime.InteropServices;
using Taba.Diffusion.Native;
using static TorchSharp.torch;

namespace Taba.Diffusion.Tests.Native;

public sealed partial class TorchRuntimeTests
{
    [Fact]
    public void Initialize_ThisSystem_TorchWorks()
    {
        TorchRuntime.Initialize();

        using var scope = NewDisposeScope();
        Assert.Equal(6, ones(2, 3).sum().item<float>());
    }

    [Fact]
    public void Initialize_Linux_WaitingThreadsSleep()
    {
        if (!OperatingSystem.IsLinux())
            return;
        TorchRuntime.Initialize();

        Assert.NotNull(Marshal.PtrToStringUTF8(GetEnv("OMP_WAIT_POLICY")));
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

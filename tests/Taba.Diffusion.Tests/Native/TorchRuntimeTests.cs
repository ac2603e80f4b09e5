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
    public void Initialize_Linux_WaitingThreadsSpinBrieflyAndSleep()
    {
        if (!OperatingSystem.IsLinux())
            return;
        TorchRuntime.Initialize();

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
    public void Settle_NothingSet_OnlyErrorsAreWritten()
    {
        if (!OperatingSystem.IsLinux() || Environment.GetEnvironmentVariable("TORCH_CPP_LOG_LEVEL") is not null)
            return;
        using var loaded = ones(1);

        TorchRuntime.Settle();

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

    [Fact]
    public void ReleaseFreedMemory_AfterHolesWereLeft_GivesThemBack()
    {
        if (!OperatingSystem.IsLinux() || Environment.GetEnvironmentVariables().Keys.Cast<string>().Any(v => v.StartsWith("MALLOC_", StringComparison.Ordinal)))
            return;
        TorchRuntime.Initialize();
        // Blocks that stay between blocks that go: 128 MiB of holes, which the allocator was told to keep.
        var blocks = Enumerable.Range(0, 128).Select(_ => (Large: ones(1 << 18), Small: ones(1 << 10))).ToList();
        blocks.ForEach(b => b.Large.Dispose());
        var before = AnonymousKiB();

        TorchRuntime.ReleaseFreedMemory();

        var after = AnonymousKiB();
        blocks.ForEach(b => b.Small.Dispose());
        Assert.True(after < before - (64 << 10), $"{before} KiB before, {after} KiB after");
    }

    static long AnonymousKiB() => long.Parse(
        File.ReadLines("/proc/self/status").Single(l => l.StartsWith("RssAnon:", StringComparison.Ordinal)).AsSpan("RssAnon:".Length).TrimEnd("kB").Trim(),
        System.Globalization.CultureInfo.InvariantCulture);

    [LibraryImport("libc", EntryPoint = "getenv", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint GetEnv(string name);
}

using Taba.Diffusion.Native;

namespace Taba.Diffusion.Tests.Native;

public sealed class PipTorchTests : IDisposable
{
    readonly string _package = Directory.CreateTempSubdirectory("taba-pip-torch-").FullName;

    public PipTorchTests()
    {
        Directory.CreateDirectory(Path.Combine(_package, "lib"));
        File.WriteAllText(Path.Combine(_package, "lib", "libtorch_cpu.so"), "");
    }

    public void Dispose() => Directory.Delete(_package, recursive: true);

    [Fact]
    public void Load_OtherVersion_RefusesAndSaysWhichToInstall()
    {
        File.WriteAllText(Path.Combine(_package, "version.py"), "__version__ = '2.11.0+cu130'\n");

        var error = Assert.Throws<NotSupportedException>(() => PipTorch.Load(_package, []));

        Assert.Contains("2.11.0+cu130", error.Message, StringComparison.Ordinal);
        Assert.Contains("2.10.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_OwnLibtorchBeside_Refuses()
    {
        File.WriteAllText(Path.Combine(_package, "version.py"), "__version__ = '2.10.1+cu128'\n");

        var error = Assert.Throws<NotSupportedException>(() => PipTorch.Load(_package, [Path.Combine(_package, "lib")]));

        Assert.Contains("clash", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_LibFolderGivenWithoutVersionFile_Refuses() =>
        Assert.Throws<FileNotFoundException>(() => PipTorch.Load(Path.Combine(_package, "lib"), []));

    [Fact]
    public void Load_FolderWithoutTorch_NamesTheVariable()
    {
        var error = Assert.Throws<FileNotFoundException>(() => PipTorch.Load(Path.GetTempPath(), []));

        Assert.Contains("TABA_TORCH", error.Message, StringComparison.Ordinal);
    }
}

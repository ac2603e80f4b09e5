using System.Runtime.Versioning;
using Taba.Storage.Objects;
using Taba.Testing.Stores;
using Taba.Testing;

namespace Taba.Storage.Tests.Objects;

[UnsupportedOSPlatform("windows")]
public sealed class PrivateFolderTests : IDisposable
{
    const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    readonly TestFolder _folder = new();

    public PrivateFolderTests() => Assert.SkipWhen(OperatingSystem.IsWindows(), "There the temporary folder is the user's own.");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Take_AgainAndAgain_IsTheSameAndOpenToItsOwnerOnly()
    {
        var path = PrivateFolder.Take(_folder.Path);
        Assert.Equal(OwnerOnly, File.GetUnixFileMode(path));
        Assert.Equal(_folder.Path, Path.GetDirectoryName(path));
        File.WriteAllText(Path.Combine(path, "file"), "");

        File.SetUnixFileMode(path, OwnerOnly | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute);
        Assert.Equal(path, PrivateFolder.Take(_folder.Path));
        Assert.Equal(OwnerOnly, File.GetUnixFileMode(path));
        Assert.True(File.Exists(Path.Combine(path, "file")));
    }

    [Theory]
    [Trait(Needs.Trait, Needs.Process)]
    [InlineData(false)]
    [InlineData(true)]
    public void Take_SomebodyElseOwnsIt_IsRefusedAndLeftAlone(bool asALink)
    {
        var path = PrivateFolder.Take(_folder.Path);
        Directory.Delete(path);
        if (asALink)
            Directory.CreateSymbolicLink(path, Directory.CreateDirectory(_folder["target"]).FullName);
        else
            Directory.CreateDirectory(path);
        var (status, said) = Command.Run("chown", "-h", "65534", path);
        Assert.SkipUnless(status == 0, $"Only root gives folders away: {said}");
        var mode = File.GetUnixFileMode(path);

        var failure = Assert.Throws<StoreException>(() => PrivateFolder.Take(_folder.Path));

        Assert.Contains("belongs to user 65534", failure.Message, StringComparison.Ordinal);
        Assert.Contains("TMPDIR", failure.Message, StringComparison.Ordinal);
        Assert.Equal(mode, File.GetUnixFileMode(path));
    }

    [Fact]
    public void Take_AFileIsInTheWay_SaysSo()
    {
        var path = PrivateFolder.Take(_folder.Path);
        Directory.Delete(path);
        File.WriteAllText(path, "");
        Assert.Contains(path, Assert.Throws<StoreException>(() => PrivateFolder.Take(_folder.Path)).Message, StringComparison.Ordinal);
    }
}

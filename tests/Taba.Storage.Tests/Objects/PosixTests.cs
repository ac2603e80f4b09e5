using Taba.Storage.Objects;
using Taba.Testing;
using Taba.Testing.Stores;

namespace Taba.Storage.Tests.Objects;

/// <summary>A name is given by a link or not at all: nothing that overwrites stands in for it.</summary>
public sealed class PosixTests : IDisposable
{
    readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void TryLink_NameIsFreeThenTaken_TrueThenFalseAndTheFirstStays()
    {
        File.WriteAllText(_folder["one"], "1");
        File.WriteAllText(_folder["two"], "2");
        Assert.True(Posix.TryLink(_folder["one"], _folder["name"]));
        Assert.False(Posix.TryLink(_folder["two"], _folder["name"]));
        Directory.CreateDirectory(_folder["folder"]);
        Assert.False(Posix.TryLink(_folder["two"], _folder["folder"]));
        Assert.Equal("1", File.ReadAllText(_folder["name"]));
    }

    [Fact]
    public void TryLink_CannotBeMade_ThrowsAndMakesNothing()
    {
        File.WriteAllText(_folder["one"], "1");
        Assert.Throws<DirectoryNotFoundException>(() => Posix.TryLink(_folder["nothing"], _folder["name"]));
        Assert.Throws<DirectoryNotFoundException>(() => Posix.TryLink(_folder["one"], _folder["no", "folder"]));
        Assert.Equal([_folder["one"]], Directory.GetFileSystemEntries(_folder.Path));
    }

    [Fact]
    [Trait(Needs.Trait, Needs.Process)]
    public void TryLink_OnAnotherDisk_ThrowsAndMovesNothing()
    {
        using var disk = Disks.MountOrSkip();
        File.WriteAllText(_folder["one"], "1");
        Assert.Throws<IOException>(() => Posix.TryLink(_folder["one"], Path.Combine(disk.Path, "name")));
        Assert.True(File.Exists(_folder["one"]));
        Assert.Empty(Directory.GetFileSystemEntries(disk.Path));
    }

    [Fact]
    [Trait(Needs.Trait, Needs.Process)]
    public void TryLink_FileSystemWithoutLinks_SaysThatAndMovesNothing()
    {
        // A file system that has names and no links.
        var (status, said) = Command.Run("mount", "-t", "mqueue", "taba-test", Directory.CreateDirectory(_folder["mounted"]).FullName);
        Assert.SkipUnless(status == 0, $"Nothing can be mounted: {said}");
        // Its names are the machine's: every mount shows the same.
        var (one, name) = (_folder["mounted", $"{Guid.NewGuid():N}"], _folder["mounted", $"{Guid.NewGuid():N}"]);
        try
        {
            File.Create(one).Dispose();
            var refused = Assert.Throws<StoreException>(() => Posix.TryLink(one, name));
            Assert.Contains("its file system has no hard links", refused.Message, StringComparison.Ordinal);
            Assert.True(File.Exists(one));
            Assert.False(File.Exists(name));
        }
        finally
        {
            File.Delete(one);
            File.Delete(name);
            Assert.Equal(0, Command.Run("umount", "-l", _folder["mounted"]).Status);
        }
    }
}

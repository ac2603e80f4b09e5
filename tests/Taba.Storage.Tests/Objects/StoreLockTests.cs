using System.Diagnostics;
using Taba.Storage.Objects;
using Taba.Testing.Stores;
using Taba.Testing;

namespace Taba.Storage.Tests.Objects;

public sealed class StoreLockTests : IDisposable
{
    readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Acquire_HeldInThisProcess_NamesTheHolder()
    {
        using var first = StoreLock.Acquire(_folder.Path, "taba run demo.yaml");
        var busy = Assert.Throws<StoreBusyException>(() => StoreLock.Acquire(_folder.Path, "taba run other.yaml"));
        Assert.Contains($"process {Environment.ProcessId} on {Environment.MachineName}", busy.Message, StringComparison.Ordinal);
        Assert.Contains("'taba run demo.yaml', since ", busy.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("other.yaml", busy.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Acquire_AfterRelease_IsFree()
    {
        StoreLock.Acquire(_folder["new", ".taba"], "one").Dispose();
        using var second = StoreLock.Acquire(_folder["new", ".taba"], "two");
        Assert.True(File.Exists(_folder["new", ".taba", "lock.json"]));
    }

    [Fact]
    [Trait(Needs.Trait, Needs.Process)]
    public void Acquire_HeldByAnotherProcess_IsBusyUntilThatEndsByAnyMeans()
    {
        if (OperatingSystem.IsWindows())
            Assert.Skip("flock(1) is a program of Unix");
        StoreLock.Acquire(_folder.Path, "earlier").Dispose();
        // flock(1) holds the lock while its command runs; "cat" says it holds by echoing the line, and runs until it is killed.
        using var other = Process.Start(Command.Redirected("flock", "--no-fork", _folder["lock"], "cat"))!;
        try
        {
            other.StandardInput.WriteLine("locked");
            Assert.Equal("locked", other.StandardOutput.ReadLine());

            var busy = Assert.Throws<StoreBusyException>(() => StoreLock.Acquire(_folder.Path, "taba run"));
            Assert.Contains("in use by another process", busy.Message, StringComparison.Ordinal);
        }
        finally
        {
            other.Kill();
            other.WaitForExit();
        }
        using var mine = StoreLock.Acquire(_folder.Path, "taba run");
    }

    [Fact]
    [Trait(Needs.Trait, Needs.Process)]
    public void Acquire_HeldHere_AnotherProcessIsRefused()
    {
        if (OperatingSystem.IsWindows())
            Assert.Skip("flock(1) is a program of Unix");
        using (StoreLock.Acquire(_folder.Path, "taba run"))
            Assert.NotEqual(0, Command.Run("flock", "--nonblock", _folder["lock"], "true").Status);
        Assert.Equal(0, Command.Run("flock", "--nonblock", _folder["lock"], "true").Status);
    }

    [Fact]
    public void Acquire_StaleNoteOfAKilledProcess_DoesNotMatter()
    {
        File.WriteAllText(_folder["lock"], "");
        File.WriteAllText(_folder["lock.json"], """{"pid":1,"host":"gone","command":"x","started":"2020-01-01T00:00:00+00:00"}""");
        using var mine = StoreLock.Acquire(_folder.Path, "taba run");
        var busy = Assert.Throws<StoreBusyException>(() => StoreLock.Acquire(_folder.Path, "other"));
        Assert.DoesNotContain("gone", busy.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Acquire_FolderCannotBeMade_SaysWhere()
    {
        File.WriteAllText(_folder["file"], "");
        var failure = Assert.Throws<StoreException>(() => StoreLock.Acquire(_folder["file", ".taba"], "x"));
        Assert.Contains(_folder["file", ".taba"], failure.Message, StringComparison.Ordinal);
    }
}

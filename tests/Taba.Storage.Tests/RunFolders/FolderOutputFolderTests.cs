using Taba.Storage.RunFolders;
using Taba.Testing.Stores;

namespace Taba.Storage.Tests.RunFolders;

public sealed class FolderOutputFolderTests() : OutputFolderSuite(new FolderStorePlace()), IDisposable
{
    readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Prepare_WhatAKillLeft_GoesAndAUsersOwnFilesStay()
    {
        var left = _folder[$".samples.npy.{Guid.NewGuid():N}.tmp"];
        foreach (var file in new[] { left, _folder["notes.tmp"], _folder[".hidden"] })
            await File.WriteAllTextAsync(file, "x");
        await Task.Run(() =>
        {
            var folder = OutputFolder.At(_folder.Path);
            folder.Prepare();
            OutputFolder.At(_folder["not", "there"]).Prepare();
            Assert.Equal(_folder["samples.npy"], folder.LocalPath("samples.npy"));
            Assert.Equal(_folder.Path, folder.Place);
        });
        Assert.Equal([_folder[".hidden"], _folder["notes.tmp"]], Directory.GetFiles(_folder.Path).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Read_LargerThanAnyFileOfItsName_IsInvalidData()
    {
        await using (var file = File.Create(_folder["manifest.json"]))
            file.SetLength((1L << 30) + 1);
        var refused = await Assert.ThrowsAsync<InvalidDataException>(
            () => Task.Run(() => OutputFolder.At(_folder.Path).Read("manifest.json")));
        Assert.Contains("manifest.json is larger", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void HardLink_OfAnObject_IsTheSameFileAndReplacesWhatWasThere()
    {
        File.WriteAllText(_folder["object"], "object");
        File.WriteAllText(_folder["name"], "before");
        Assert.True(HardLink.TryCreate(_folder["object"], _folder["name"]));
        Assert.True(HardLink.TryCreate(_folder["object"], _folder["name"]));
        Assert.Equal("object", File.ReadAllText(_folder["name"]));
        Assert.False(HardLink.TryCreate(_folder["nothing"], _folder["name"]));
        Assert.Equal("object", File.ReadAllText(_folder["name"]));
        Assert.Equal(2, Directory.GetFiles(_folder.Path).Length);
    }
}

using Taba.Storage.Objects;
using Taba.Testing;

namespace Taba.Storage.Tests.Objects;

/// <summary>What can be known of a place before anything is written there, and whose affair an error of a disk is.</summary>
public sealed class WritableFolderTests
{
    [Theory]
    [InlineData(0, null)]
    [InlineData(13, "/x is a folder that this user may not write to")]
    [InlineData(30, "/x is on a file system that nobody may write to")]
    public void Sentence_OfAnErrno_SaysWhy(int errno, string? expected) => Assert.Equal(expected, WritableFolder.Sentence("/x", errno));

    [Fact]
    public void WhyNot_PlacesThatCanBe_AreNone()
    {
        using var folder = new TempFolder();
        Assert.Null(WritableFolder.WhyNot(folder.At("a", "b", "c")));
        Assert.Null(WritableFolder.WhyNot(folder.Path));
        Assert.False(Directory.Exists(folder.At("a")));
    }

    [Theory]
    [InlineData(13, true)]
    [InlineData(20, true)]
    [InlineData(30, true)]
    [InlineData(36, true)]
    [InlineData(5, false)]
    [InlineData(28, false)]
    public void Wrap_ErrorsOfTheDisk_AreTheUsersOnlyWhereHeCanMendThem(int errno, bool needsUser)
    {
        Exception error = errno == 13 ? new UnauthorizedAccessException("no.") : new IOException("It failed.", errno);
        var wrapped = DiskErrors.Wrap(error, "write", "/x");
        Assert.Equal(needsUser, DiskErrors.NeedsUser(new InvalidOperationException("in a call", wrapped)));
        Assert.DoesNotContain(".;", wrapped.Message, StringComparison.Ordinal);
    }
}

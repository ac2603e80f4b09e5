using System.Security.Cryptography;
using Taba.Diffusion.Weights;
using Taba.Testing;

namespace Taba.Diffusion.Tests.Weights;

public sealed class WeightDigestCacheTests : IDisposable
{
    static readonly DateTime s_noon = new(2024, 5, 1, 12, 0, 0, DateTimeKind.Utc);

    readonly TempFolder _folder = new();

    string CacheFile => _folder.At("cache/digests.json");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Get_NewFile_IsItsSha256()
    {
        var path = Weights("abc");
        Assert.Equal(Digest("abc"), new WeightDigestCache(CacheFile).Get(path));
        Assert.Equal(Digest("abc"), WeightDigest.Compute(path));
    }

    [Fact]
    public void Get_SamePathSizeAndTime_IsRemembered()
    {
        new WeightDigestCache(CacheFile).Get(Weights("abc"));
        Assert.Equal(Digest("abc"), new WeightDigestCache(CacheFile).Get(Weights("xyz")));
    }

    [Fact]
    public void Get_OtherSizeOrTime_IsComputedAnew()
    {
        var cache = new WeightDigestCache(CacheFile);
        cache.Get(Weights("abc"));
        Assert.Equal(Digest("abcd"), cache.Get(Weights("abcd")));
        var path = Weights("wxyz");
        File.SetLastWriteTimeUtc(path, s_noon.AddTicks(1));
        Assert.Equal(Digest("wxyz"), cache.Get(path));
    }

    [Fact]
    public void Get_ReadOnly_UsesWhatIsRememberedAndWritesNothing()
    {
        Assert.Equal(Digest("abc"), new WeightDigestCache(CacheFile, readOnly: true).Get(Weights("abc")));
        Assert.False(Path.Exists(Path.GetDirectoryName(CacheFile)));

        new WeightDigestCache(CacheFile).Get(Weights("abc"));
        var before = File.ReadAllBytes(CacheFile);
        Assert.Equal(Digest("abc"), new WeightDigestCache(CacheFile, readOnly: true).Get(Weights("xyz")));
        Assert.Equal(Digest("wxyz"), new WeightDigestCache(CacheFile, readOnly: true).Get(Weights("wxyz")));
        Assert.Equal(before, File.ReadAllBytes(CacheFile));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("null")]
    [InlineData("[1,2]")]
    [InlineData("""{"PATH":null}""")]
    [InlineData("""{"PATH":{"Size":3,"ModifiedTicks":TICKS,"Sha256":"short"}}""")]
    public void Get_DamagedCache_IsComputedAndRepaired(string damage)
    {
        var path = Weights("abc");
        Directory.CreateDirectory(_folder.At("cache"));
        File.WriteAllText(CacheFile, damage.Replace("PATH", path, StringComparison.Ordinal).Replace(
            "TICKS", $"{s_noon.Ticks}", StringComparison.Ordinal));
        Assert.Equal(Digest("abc"), new WeightDigestCache(CacheFile).Get(path));
        Assert.Equal(Digest("abc"), new WeightDigestCache(CacheFile).Get(Weights("xyz")));
        Assert.Equal([CacheFile], Directory.GetFiles(_folder.At("cache")));
    }

    [Fact]
    public void Get_CacheCannotBeWritten_StillAnswers()
    {
        _folder.Write("cache", "a file where a folder should be"u8);
        Assert.Equal(Digest("abc"), new WeightDigestCache(CacheFile).Get(Weights("abc")));
    }

    [Fact]
    public void Get_SeveralFiles_DependsOnEachAndTheirOrder()
    {
        var cache = new WeightDigestCache(CacheFile);
        var (a, b) = (_folder.Write("a", "abc"u8), _folder.Write("b", "xyz"u8));
        Assert.Equal(Digest($"{Digest("abc")}\n{Digest("xyz")}\n"), cache.Get([a, b]));
        Assert.Equal(Digest($"{Digest("xyz")}\n{Digest("abc")}\n"), cache.Get([b, a]));
        Assert.Equal(Digest("abc"), cache.Get([a]));
    }

    [Fact]
    public void Get_Link_IsThatOfItsFile()
    {
        var cache = new WeightDigestCache(CacheFile);
        File.CreateSymbolicLink(_folder.At("link"), Path.GetFileName(Weights("abc")));
        Assert.Equal(Digest("abc"), cache.Get(_folder.At("link")));
        Weights("abcd"); // the link stays as it was, the file does not
        Assert.Equal(Digest("abcd"), cache.Get(_folder.At("link")));
    }

    string Weights(string text)
    {
        var path = _folder.Write("model.pt", System.Text.Encoding.UTF8.GetBytes(text));
        File.SetLastWriteTimeUtc(path, s_noon);
        return path;
    }

    static string Digest(string text) => Convert.ToHexStringLower(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(text)));
}

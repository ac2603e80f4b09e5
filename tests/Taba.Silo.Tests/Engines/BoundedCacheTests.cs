using Taba.Silo.Rows;

namespace Taba.Silo.Tests.Engines;

public sealed class BoundedCacheTests : IDisposable
{
    readonly BoundedCache<string, Thing> _cache = new(2);
    readonly List<string> _made = [];
    readonly List<string> _ended = [];

    public void Dispose() => _cache.Dispose();

    [Fact]
    public void Take_OneMoreThanStay_TakesThePlaceOfTheOneThatWasIdleLongest()
    {
        Use("a");
        Use("b");
        Use("a");

        Use("c");

        Assert.Equal(["b"], _ended);
        Use("a");
        Assert.Equal(["a", "b", "c"], _made);
        Assert.Equal(2, _cache.Count);
    }

    [Fact]
    public void Take_AllInUse_StayUntilOneIsNot()
    {
        using (var a = Take("a"))
        {
            using var b = Take("b");
            using var c = Take("c");
            Assert.Empty(_ended);
            Assert.Equal(3, _cache.Count);
            Assert.Equal(["a", "b", "c"], [a.Value.Name, b.Value.Name, c.Value.Name]);
        }

        Assert.Equal(2, _cache.Count);
        Assert.Single(_ended);
    }

    [Fact]
    public void Take_MakingFails_IsTriedAnewNextTime()
    {
        Assert.Throws<IOException>(() => _cache.Take("a", () => throw new IOException()));

        Use("a");

        Assert.Equal(["a"], _made);
    }

    [Fact]
    public void Dispose_WhatIsThere_Ends()
    {
        Use("a");
        Use("b");

        _cache.Dispose();

        Assert.Equal(["a", "b"], _ended);
    }

    void Use(string name) => Take(name).Dispose();

    BoundedCache<string, Thing>.Use Take(string name) => _cache.Take(name, () =>
    {
        _made.Add(name);
        return new Thing(name, _ended);
    });

    sealed class Thing(string name, List<string> ended) : IDisposable
    {
        public string Name => name;

        public void Dispose() => ended.Add(name);
    }
}

using Taba.Silo.Rows;

namespace Taba.Silo.Tests.Engines;

public sealed class NoiseSourcesTests
{
    static readonly ModelIdentity s_model = new("digest", "gaussian", "model.json", null, 3, 8, 8);

    [Fact]
    public void Rows_OfMoreAddressesThanStayOpen_AreTheSameWhenDrawnAgain()
    {
        const int addresses = 3 * NoiseSources.MostOpen;
        using var sources = new NoiseSources();
        byte[][] first = [.. Enumerable.Range(0, addresses).Select(seed => Draw(sources, seed))];
        Assert.Equal(NoiseSources.MostOpen, sources.Open);

        byte[][] again = [.. Enumerable.Range(0, addresses).Select(seed => Draw(sources, seed))];

        Assert.Equal(NoiseSources.MostOpen, sources.Open);
        Assert.Equal(first, again);
        Assert.Equal(addresses, first.Select(Convert.ToHexString).Distinct().Count());
    }

    [Fact]
    public async Task Rows_DrawnByManyThreads_AreThoseOfTheirAddress()
    {
        using var sources = new NoiseSources();
        byte[][] alone = [.. Enumerable.Range(0, 40).Select(seed => Draw(sources, seed))];

        var together = await Task.WhenAll(Enumerable.Range(0, 400).Select(i => Task.Run(() => Draw(sources, i % 40))));

        Assert.All(together.Index(), drawn => Assert.Equal(alone[drawn.Index % 40], drawn.Item));
    }

    static byte[] Draw(NoiseSources sources, int seed)
    {
        var rows = new byte[2 * s_model.RowBytes];
        sources.Rows(new NoiseRows(NoiseLayout.Upstream, seed, Dtype.Float32, 8), NoiseStream.Initial, s_model, new RowRange(3, 5), rows);
        return rows;
    }
}

using Taba.Grains.Sweeps;

namespace Taba.Silo.Tests.Web;

/// <summary>Streams of events, of a real silo over HTTP.</summary>
public sealed class FeedsTests : IAsyncLifetime
{
    ShownSilo _silo = null!;

    public async ValueTask InitializeAsync() => _silo = await ShownSilo.StartAsync();

    public ValueTask DisposeAsync() => _silo.DisposeAsync();

    [Fact]
    public async Task Events_OfASweep_TellEachChangeAndNothingThatIsKnown()
    {
        var plan = _silo.Plan(8);
        await _silo.SubmitAsync(plan);
        var sweep = _silo.Silo.Grains.GetGrain<ISweepGrain>(plan.SweepId);
        string last;
        using (var stream = await EventStream.OpenAsync(_silo.Client, $"api/sweeps/{plan.SweepId}/events"))
        {
            await stream.UntilAsync("sweep", s => s.GetProperty("state").GetString() == "running");
            var stages = await stream.UntilAsync("stages", _ => true);
            Assert.Equal(plan.Stages.Length, stages.Data.GetProperty("entries").GetArrayLength());
            await sweep.PauseAsync();
            await stream.UntilAsync("sweep", s => s.GetProperty("state").GetString() == "paused");
            last = (await stream.UntilAsync("stages", s => s.GetProperty("entries")[0].GetProperty("waits").GetProperty("kind").GetString()
                == "paused")).Id;
            last = await stream.LastIdAsync(TimeSpan.FromSeconds(4)) ?? last;
        }

        using var again = await EventStream.OpenAsync(_silo.Client, $"api/sweeps/{plan.SweepId}/events", last);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => again.NextAsync(TimeSpan.FromSeconds(3)));
        using var other = await EventStream.OpenAsync(_silo.Client, $"api/sweeps/{plan.SweepId}/events", "what.ever\"");
        Assert.Equal("sweep", (await other.NextAsync(TimeSpan.FromSeconds(10)))!.Value.Name);
    }

    [Fact]
    public async Task Events_OfAll_TellSweepsAndSilos()
    {
        using var stream = await EventStream.OpenAsync(_silo.Client, "api/events");
        await stream.UntilAsync("silos", s => s.GetProperty("total").GetInt32() == 1);
        var plan = _silo.Plan(8);
        await _silo.SubmitAsync(plan);

        var sweeps = await stream.UntilAsync("sweeps", s => s.GetProperty("live").GetInt32() == 1);

        Assert.Equal(plan.SweepId, sweeps.Data.GetProperty("entries")[0].GetProperty("id").GetString());
    }

    [Fact]
    public async Task Events_WhenTheCommandEnds_TellTheLastStateAndThatItIsTheLast()
    {
        var plan = _silo.Plan(8);
        using var stream = await EventStream.OpenAsync(_silo.Client, "api/events");
        await stream.NextAsync(TimeSpan.FromSeconds(10));
        await _silo.RunAsync(plan);

        var ending = _silo.EndAsync();

        await stream.UntilAsync("sweeps", s => s.GetProperty("entries") is var entries && entries.GetArrayLength() == 1
            && entries[0].GetProperty("state").GetString() == "completed");
        var ended = await stream.UntilAsync("ended", _ => true);
        Assert.True(ended.Data.GetProperty("final").GetBoolean());
        Assert.Null(await stream.NextAsync(TimeSpan.FromSeconds(10)));
        await ending;
    }

    [Fact]
    public async Task Events_OfManyPages_AreRefusedBeyondALimitAndOthersAreStillAnswered()
    {
        using var client = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = 200 }) { BaseAddress = _silo.Address };
        var streams = new List<EventStream>();
        try
        {
            for (var i = 0; i < 128; i++)
                streams.Add(await EventStream.OpenAsync(client, "api/events"));
            using var refused = await client.GetAsync("api/events");
            Assert.Equal(System.Net.HttpStatusCode.ServiceUnavailable, refused.StatusCode);
            Assert.True((await client.GetAsync("api/sweeps")).IsSuccessStatusCode);
        }
        finally
        {
            foreach (var stream in streams)
                stream.Dispose();
        }
    }
}

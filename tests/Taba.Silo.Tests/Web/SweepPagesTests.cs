using System.Net;
using System.Text.Json;
using Taba.Grains.Sweeps;

namespace Taba.Silo.Tests.Web;

/// <summary>Sweeps, stages and silos as JSON, of a real silo over HTTP.</summary>
public sealed class SweepPagesTests : IAsyncLifetime
{
    ShownSilo _silo = null!;

    public async ValueTask InitializeAsync() => _silo = await ShownSilo.StartAsync();

    public ValueTask DisposeAsync() => _silo.DisposeAsync();

    [Fact]
    public async Task Pages_OfASweepThatRan_SayWhatBecameOfIt()
    {
        var plan = _silo.Plan(40);
        await _silo.RunAsync(plan);
        var path = $"api/sweeps/{plan.SweepId}";

        var list = await _silo.JsonAsync("api/sweeps");
        Assert.Equal((1, 0), (list.GetProperty("total").GetInt32(), list.GetProperty("live").GetInt32()));
        var entry = list.GetProperty("entries")[0];
        Assert.Equal("completed", entry.GetProperty("state").GetString());
        Assert.Equal(plan.Evaluations, entry.GetProperty("evaluationsDone").GetDouble());

        var sweep = await _silo.JsonAsync(path);
        Assert.Equal((plan.SweepId, "gaussian", "completed"), (Text(sweep, "id"), Text(sweep, "name"), Text(sweep, "state")));
        Assert.Equal(40 * plan.Stages.Length, sweep.GetProperty("rowsDone").GetInt32());
        Assert.Equal(plan.Runs.Length, sweep.GetProperty("runs").GetInt32());
        Assert.Equal(JsonValueKind.Null, sweep.GetProperty("fault").ValueKind);

        var stages = await _silo.JsonAsync($"{path}/stages?bins=4&from=1&count=2");
        Assert.Equal((plan.Stages.Length, 1, 2), (
            stages.GetProperty("total").GetInt32(), stages.GetProperty("from").GetInt32(), stages.GetProperty("entries").GetArrayLength()));
        var stage = stages.GetProperty("entries")[0];
        Assert.Equal((plan.Stages[1].Key, "done"), (Text(stage, "key"), Text(stage, "state")));
        Assert.Equal("[[10,10,0,0],[10,10,0,0],[10,10,0,0],[10,10,0,0]]", stage.GetProperty("strip").GetRawText());
        Assert.Equal(JsonValueKind.Null, stage.GetProperty("waits").ValueKind);

        var parts = await _silo.JsonAsync($"api/stages/{plan.Stages[0].Key}/parts?sweep={plan.SweepId}&bins=2");
        Assert.Equal("[0,40]", parts.GetProperty("rows").GetRawText());
        Assert.Equal("[[20,20,0,0],[20,20,0,0]]", parts.GetProperty("strip").GetRawText());
        Assert.Equal(0, parts.GetProperty("leasesTotal").GetInt32());

        var runs = (await _silo.JsonAsync($"{path}/runs")).GetProperty("entries").EnumerateArray().ToList();
        Assert.Equal(plan.Runs.Select(r => r.Slug), runs.Select(r => Text(r, "slug")));
        Assert.Equal([null, "forward K=3"], runs.Select(r => Text(r, "intervention")));
        Assert.Equal(["samples", "latents", "samples2"], runs[0].GetProperty("pictures").EnumerateArray().Select(p => Text(p, "name")));
        Assert.All(runs[0].GetProperty("pictures").EnumerateArray(), p => Assert.Equal(40, p.GetProperty("done").GetInt32()));

        Assert.Equal(0, (await _silo.JsonAsync($"{path}/failures")).GetProperty("total").GetInt32());
        var log = (await _silo.JsonAsync($"{path}/log")).EnumerateArray().Select(e => Text(e, "kind")).ToList();
        Assert.Equal("ended", log[0]);
        Assert.Equal("submitted", log[^1]);
    }

    [Fact]
    public async Task Runs_WhoseFoldersAreWritten_HaveTheirNumbers()
    {
        var plan = _silo.Plan(8);
        await _silo.SubmitAsync(plan);
        var sweep = _silo.Silo.Grains.GetGrain<ISweepGrain>(plan.SweepId);
        await sweep.MetricsAsync(new(plan.Runs[1].Slug, [new("kl_div_noise_latent", 0.25)]));

        var runs = (await _silo.JsonAsync($"api/sweeps/{plan.SweepId}/runs")).GetProperty("entries");

        Assert.Equal(JsonValueKind.Null, runs[0].GetProperty("metrics").ValueKind);
        Assert.Equal(0.25, runs[1].GetProperty("metrics").GetProperty("kl_div_noise_latent").GetDouble());
    }

    [Fact]
    public async Task Stages_OfASweepThatNobodyComputes_SayWhyTheyWait()
    {
        var plan = _silo.Plan(40);
        await _silo.SubmitAsync(plan);

        var stages = (await _silo.JsonAsync($"api/sweeps/{plan.SweepId}/stages?bins=1")).GetProperty("entries").EnumerateArray().ToList();

        Assert.All(stages, s => Assert.Equal(("waiting", "[[40,0,0,0]]"), (Text(s, "state"), s.GetProperty("strip").GetRawText())));
        // A stage that reads rows of another waits for these, and says which.
        var inversion = stages.Single(s => Text(s, "key") == plan.Stages.First(p => p.Spec.Kind == StageKind.Invert).Key);
        Assert.Equal("inputs", Text(inversion.GetProperty("waits"), "kind"));
        Assert.Contains("0 of 40 rows of sample T=10", Text(inversion.GetProperty("waits"), "text"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Silos_OfThisProcess_AreOneWithItsDevice()
    {
        // Reports come every two seconds.
        JsonElement silos;
        do
            silos = await _silo.JsonAsync("api/silos");
        while (silos.GetProperty("total").GetInt32() == 0);

        var silo = silos.GetProperty("entries")[0];
        Assert.Equal("worker", Text(silo, "role"));
        Assert.Equal("cpu", Text(silo.GetProperty("devices")[0], "name"));
        Assert.Equal(
            ["network", "overhead", "output_wait", "linger", "loading", "idle"],
            silo.GetProperty("devices")[0].GetProperty("share").EnumerateObject().Select(p => p.Name));
        foreach (var path in new[] { "api/devices/history", $"api/devices/history?device={Text(silo, "name")}/cpu" })
        {
            var history = await _silo.JsonAsync(path);
            Assert.Equal(60, history.GetProperty("points").GetArrayLength());
            Assert.All(history.GetProperty("points").EnumerateArray(), p => Assert.Equal(7, p.GetArrayLength()));
        }
    }

    [Theory]
    [InlineData("api/sweeps?from=-1", 400)]
    [InlineData("api/sweeps?count=0", 400)]
    [InlineData("api/sweeps?count=501", 400)]
    [InlineData("api/sweeps?count=many", 400)]
    [InlineData("api/sweeps?count=99999999999999999999", 400)]
    [InlineData("api/sweeps/0123456789abcdef", 404)]
    [InlineData("api/sweeps/0123456789abcdef/stages", 404)]
    [InlineData("api/sweeps/0123456789abcdef/events", 404)]
    [InlineData("api/sweeps/0123456789ABCDEF", 404)]
    [InlineData("api/sweeps/..%2f..%2fx", 404)]
    [InlineData("api/sweeps/ID/runs?count=51", 400)]
    [InlineData("api/sweeps/ID/stages?bins=0", 400)]
    [InlineData("api/sweeps/ID/stages?bins=257", 400)]
    [InlineData("api/sweeps/ID/stages?bins=256&count=33", 400)]
    [InlineData("api/sweeps/ID/stages?from=2147483647", 200)]
    [InlineData("api/sweeps/ID/failures?count=1000", 400)]
    [InlineData("api/stages/abc/parts?sweep=ID", 404)]
    [InlineData("api/stages/abc/parts", 404)]
    [InlineData("api/silos?count=41", 400)]
    [InlineData("api/devices/history?device=nobody/cpu", 404)]
    [InlineData("api/nothing", 404)]
    [InlineData("metrics", 404)]
    public async Task Pages_OfWhatThereIsNot_AreRefusedWithASentence(string path, int status)
    {
        var plan = _silo.Plan(8);
        await _silo.SubmitAsync(plan);

        var address = path.Replace("ID", plan.SweepId, StringComparison.Ordinal);
        using var answer = await _silo.Client.GetAsync(new Uri(address, UriKind.Relative));

        Assert.Equal(status, (int)answer.StatusCode);
        if (status != 200)
        {
            var error = JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement;
            Assert.NotEmpty(Text(error, "error")!);
        }
    }

    [Fact]
    public async Task Steer_ASweep_ChangesItOnceAndSaysWhenThereIsNothingToChange()
    {
        var plan = _silo.Plan(8);
        await _silo.SubmitAsync(plan);

        await SteerAsync("resume", 409, "gaussian is not paused: it runs.");
        await SteerAsync("pause", 200, "paused");
        await SteerAsync("pause", 409, "gaussian is paused already.");
        await SteerAsync("resume", 200, "running");
        await SteerAsync("cancel", 200, "cancelled");
        await SteerAsync("pause", 409, "gaussian has ended (cancelled): there is nothing to pause.");
        await SteerAsync("retry", 200, "running");
        var log = (await _silo.JsonAsync($"api/sweeps/{plan.SweepId}/log")).EnumerateArray().ToList();
        Assert.Equal("the dashboard", Text(log.First(e => Text(e, "kind") == "cancelled"), "by"));

        using var wrong = await _silo.Client.PostAsync($"api/sweeps/{plan.SweepId}/explode", null);
        Assert.Equal(HttpStatusCode.NotFound, wrong.StatusCode);
        using var read = await _silo.Client.GetAsync($"api/sweeps/{plan.SweepId}/cancel");
        Assert.Equal(HttpStatusCode.MethodNotAllowed, read.StatusCode);
        using var nobody = await _silo.Client.PostAsync("api/sweeps/0123456789abcdef/pause", null);
        Assert.Equal(HttpStatusCode.NotFound, nobody.StatusCode);

        async Task SteerAsync(string verb, int status, string says)
        {
            using var answer = await _silo.Client.PostAsync($"api/sweeps/{plan.SweepId}/{verb}", null);
            Assert.Equal(status, (int)answer.StatusCode);
            var json = JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement;
            Assert.Equal(says, Text(json, status == 200 ? "state" : "error"));
        }
    }

    [Fact]
    public async Task Answer_ThatIsKnownAlready_IsNotSentAgain()
    {
        var plan = _silo.Plan(8);
        await _silo.RunAsync(plan);
        using var first = await _silo.Client.GetAsync($"api/sweeps/{plan.SweepId}");
        var request = new HttpRequestMessage(HttpMethod.Get, $"api/sweeps/{plan.SweepId}");
        request.Headers.IfNoneMatch.Add(first.Headers.ETag!);

        using var second = await _silo.Client.SendAsync(request);

        Assert.Equal(HttpStatusCode.NotModified, second.StatusCode);
    }

    static string? Text(JsonElement json, string name) => json.GetProperty(name).GetString();
}

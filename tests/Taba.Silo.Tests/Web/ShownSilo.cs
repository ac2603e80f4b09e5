using System.Net.Http.Headers;
using System.Text.Json;
using Taba.Grains.Sweeps;
using Taba.Silo.Devices;
using Taba.Silo.Hosting;
using Taba.Silo.Tests.Hosting;

namespace Taba.Silo.Tests.Web;

/// <summary>An embedded silo with its web server, in a folder of its own.</summary>
sealed class ShownSilo : IAsyncDisposable
{
    public const string Token = "a-token-of-this-test";

    readonly string _folder;
    bool _ended;

    ShownSilo(EmbeddedSilo silo, string folder)
    {
        (Silo, _folder) = (silo, folder);
        Client = new() { BaseAddress = silo.Dashboard };
    }

    public EmbeddedSilo Silo { get; }

    /// <summary>Sends nothing but what a test adds.</summary>
    public HttpClient Client { get; }

    public Uri Address => Client.BaseAddress!;

    public static async Task<ShownSilo> StartAsync(string? token = null, params KeyValuePair<string, string?>[] settings)
    {
        var folder = Directory.CreateTempSubdirectory("taba-shown-").FullName;
        KeyValuePair<string, string?>[] all = token is null ? settings : [new("Taba:Web:Token", token), .. settings];
        var silo = await EmbeddedSilo.StartAsync(
            new EmbeddedSiloOptions
            {
                StoreRoot = Path.Combine(folder, ".taba"),
                Devices = SiloDevices.Resolve("cpu"),
                Command = "test",
                DashboardPort = 0,
                Settings = all,
            },
            CancellationToken.None);
        return new(silo, folder);
    }

    public void SignIn() => Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Token);

    public SweepPlan Plan(int samples, string name = "gaussian") => EmbeddedSiloTests.Plan(new()
    {
        Name = name,
        Models = [GaussianModel.Write(_folder)],
        Samples = samples,
        Seeds = [420],
        NumInferenceSteps = [10],
        WithInversion = true,
        WithReconstruction = true,
        Interventions = [new(InterventionKind.Forward, 3, 999)],
    });

    public Task<SweepStatus> RunAsync(SweepPlan plan) => EmbeddedSiloTests.RunAsync(Silo, plan);

    /// <summary>Nobody computes it: the worker waits for a command's sweep.</summary>
    public Task SubmitAsync(SweepPlan plan) => Silo.Grains.GetGrain<ISweepGrain>(plan.SweepId).SubmitAsync(plan);

    public async Task<JsonElement> JsonAsync(string path)
    {
        using var answer = await Client.GetAsync(new Uri(path, UriKind.Relative));
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, $"{path}: {answer.StatusCode} {text}");
        return JsonDocument.Parse(text).RootElement;
    }

    public Task EndAsync()
    {
        _ended = true;
        return Silo.DisposeAsync().AsTask();
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        if (!_ended)
            await Silo.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}

using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using Taba.Client.Embedded;
using Taba.Testing.Client;

namespace Taba.Client.Tests;

/// <summary><c>--dashboard</c>: a run that can be seen while it lasts.</summary>
public sealed class DashboardTests : IDisposable
{
    readonly CommandLine _command = new();

    public void Dispose() => _command.Dispose();

    [Fact]
    public async Task Run_WithDashboard_IsSeenAtTheAddressThatItPrints()
    {
        var errors = new Lines();
        var ending = InProcess.RunAsync(
            [.. Sweep(), "--dashboard", "--json"], new EmbeddedRun(), errors, TestContext.Current.CancellationToken);

        var address = new Uri(await errors.FirstAsync("dashboard", "address"));
        Assert.Equal(("http", "127.0.0.1"), (address.Scheme, address.Host));
        using var client = new HttpClient { BaseAddress = address };
        Assert.Contains("<title>Taba", await client.GetStringAsync("/"), StringComparison.Ordinal);
        var id = address.Fragment["#/sweep/".Length..];
        // Answered as soon as it is submitted, and until the command ends, which this run does not by itself before anybody has looked.
        using var events = await OpenAsync(client, $"/api/sweeps/{id}/events");
        (await client.PostAsync($"/api/sweeps/{id}/cancel", null)).EnsureSuccessStatusCode();
        using var lines = new StreamReader(await events.Content.ReadAsStreamAsync());
        var told = await lines.ReadToEndAsync();
        Assert.Contains("\"state\":\"running\"", told, StringComparison.Ordinal);
        Assert.Contains("\"state\":\"cancelled\"", told, StringComparison.Ordinal);
        Assert.EndsWith(
            "event: ended\ndata: {\"text\":\"The command has ended: this is what was seen last.\",\"final\":true}\n\n", told,
            StringComparison.Ordinal);
        Assert.Equal(ExitStatus.Failed, (await ending).Status);
    }

    [Theory]
    [InlineData("--dashboard_port 0", "--dashboard_port is 0: a port is 1 to 65535.")]
    [InlineData("--dashboard_port 65536", "--dashboard_port is 65536")]
    [InlineData("--dashboard --cluster lab", "--dashboard shows a run of this process: of cluster lab the silos show everything")]
    public async Task Run_WithADashboardThatCannotBe_IsRefused(string flags, string why) =>
        Assert.Contains(why, await _command.RefuseAsync([.. Sweep(), .. flags.Split(' ')]), StringComparison.Ordinal);

    string[] Sweep() =>
        ["sample", "gaussian", "--model", _command.GaussianModel(), "--n_samples", "200000", "--num_inference_steps", "50", "--save_dir",
            _command.At("out")];

    static async Task<HttpResponseMessage> OpenAsync(HttpClient client, string path)
    {
        while (true)
        {
            var answer = await client.GetAsync(path, HttpCompletionOption.ResponseHeadersRead);
            if (answer.IsSuccessStatusCode)
                return answer;
            answer.Dispose();
        }
    }

    /// <summary>Standard error, read while the command writes it.</summary>
    sealed class Lines : StringWriter
    {
        readonly Channel<string> _lines = Channel.CreateUnbounded<string>();

        public override Encoding Encoding => Encoding.UTF8;

        public override void WriteLine(string? value) => _lines.Writer.TryWrite(value ?? "");

        /// <summary>The value of the first line of an event.</summary>
        public async Task<string> FirstAsync(string @event, string name)
        {
            await foreach (var line in _lines.Reader.ReadAllAsync())
            {
                var json = JsonDocument.Parse(line).RootElement;
                if (json.GetProperty("event").GetString() == @event)
                    return json.GetProperty(name).GetString()!;
            }
            throw new InvalidOperationException("unreachable");
        }
    }
}

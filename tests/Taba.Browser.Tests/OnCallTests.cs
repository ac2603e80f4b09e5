using System.Diagnostics;
using System.Text;
using Taba.Testing;
using Taba.Testing.Clusters;
using Taba.Testing.Servers;

namespace Taba.Browser.Tests;

/// <summary>
/// What whoever is on call looks for on the page, with real faults: a silo whose scratch disk is full, a sample that no network can take,
/// and a device that idles because its silo does not see the model.
/// </summary>
public sealed class OnCallTests
{
    const int Samples = 256, Poison = 77, Width = 32;

    static readonly TimeSpan s_aMinute = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task Page_OfAClusterWithThreeFaults_NamesEachWithinAMinute()
    {
        if ((ChromiumServer.Missing ?? AzuriteServer.Missing) is { } missing)
            Assert.Skip(missing);
        using var disk = SmallDisk.TryMount(64 << 10, out var reason);
        if (disk is null)
            Assert.Skip(reason);
        // Tensors are blobs, so that each silo has a scratch disk of its own.
        await using var cluster = await TestCluster.StartOnAzureAsync();
        var port = ServerProgram.FreePort();
        cluster.SettingsOf["c1"] = new()
        {
            ["Taba__Web__Address"] = "127.0.0.1",
            ["Taba__Web__Port"] = $"{port}",
            ["Taba__Web__OperationsPort"] = $"{ServerProgram.FreePort()}",
        };
        cluster.SettingsOf["w2"] = new() { ["TMPDIR"] = disk.Path };
        var (model, nothing) = Model(cluster);
        cluster.Place = name => ("127.0.0.1", name == "w3"
            ? ["unshare", "--mount", "sh", "-c", $"mount --bind '{nothing}' '{Path.GetDirectoryName(model)}' && exec \"$0\" \"$@\""]
            : []);
        await cluster.StartSiloAsync("c1", "coordinator");
        await Task.WhenAll(cluster.StartSiloAsync("w1"), cluster.StartSiloAsync("w2"), cluster.StartSiloAsync("w3"));
        disk.Fill();
        var client = cluster.StartClient(
            "run", Sweep(cluster, model), "--out", Path.Combine(cluster.Folder, "out"), "--cluster", TestCluster.Name);
        await client.UntilAsync(() => client.Errors.Contains("on-call: ", StringComparison.Ordinal));

        await using var chromium = await ChromiumServer.StartAsync();
        await using var tools = await DevTools.ConnectAsync(chromium.Tools);
        var page = await BrowserPage.OpenAsync(tools, $"http://127.0.0.1:{port}/#/", 1200, 900);
        await page.IsLiveAsync();
        var began = Stopwatch.StartNew();

        await page.ClickAsync("[...document.querySelectorAll('a')].find(a => a.innerText === 'on-call')");
        await page.SaysAsync("non finite: 77", s_aMinute);
        await page.SaysAsync("Step 0 gave NaN or Inf with the network in float32: look at its input", s_aMinute);
        await page.SaysAsync($"the disk of {disk.Path} is full: free some space", s_aMinute);
        await ShotAsync(page, "on-call-sweep");
        await page.ClickAsync("[...document.querySelectorAll('a')].find(a => a.innerText === 'Devices')");
        await page.SaysAsync("w2: The disk of its scratch files has 0 B left.", s_aMinute);
        await page.SaysAsync("w3: It cannot serve", s_aMinute);
        var idle = (await page.AskAsync(
            "[...document.querySelectorAll('.silo')].find(s => s.querySelector('h2').innerText === 'w3').innerText")).GetString();
        Assert.Contains($"there is no {model}", idle, StringComparison.Ordinal);
        Assert.Contains("idle", idle, StringComparison.Ordinal);
        var order = (await page.AskAsync("[...document.querySelectorAll('.silo h2')].map(h => h.innerText).join(' ')")).GetString();
        Assert.Equal("w2 w3 w1 c1", order);
        await page.UntilAsync("document.querySelectorAll('.device .u-over').length === 3");
        await ShotAsync(page, "on-call-devices");
        Assert.True(began.Elapsed < 3 * s_aMinute, $"{began.Elapsed}");
        Assert.Empty(page.Complaints);
    }

    /// <summary>Pictures for people, where the environment names a folder for them.</summary>
    static async Task ShotAsync(BrowserPage page, string name)
    {
        if (Environment.GetEnvironmentVariable("TABA_SHOTS") is { Length: > 0 } folder)
            await File.WriteAllBytesAsync(Path.Combine(folder, $"{name}.png"), await page.ShotAsync());
    }

    /// <returns>The file of the model, and an empty folder.</returns>
    static (string File, string Nothing) Model(TestCluster cluster)
    {
        var folder = Path.Combine(cluster.Folder, "models", "own");
        var nothing = Path.Combine(cluster.Folder, "nothing");
        Directory.CreateDirectory(folder);
        Directory.CreateDirectory(nothing);
        foreach (var file in Directory.EnumerateFiles(Path.Combine(AppContext.BaseDirectory, "models", "demo")))
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        return (Path.Combine(folder, "model.json"), nothing);
    }

    static string Sweep(TestCluster cluster, string model)
    {
        var file = Path.Combine(cluster.Folder, "on-call.yaml");
        File.WriteAllText(file, $$"""
            name: on-call
            model: {{model}}
            samples: {{Samples}}
            num_inference_steps: 10
            input_noise: {{Noise(cluster)}}
            stages: [sample, invert, reconstruct]
            interventions:
              - forward: { before: 3, seed: 999 }
            """);
        return file;
    }

    /// <summary>Noise of which one sample is finite and far too large.</summary>
    static string Noise(TestCluster cluster)
    {
        var path = Path.Combine(cluster.Folder, "noise.npy");
        using var writer = new BinaryWriter(File.Create(path));
        var header = $"{{'descr': '<f4', 'fortran_order': False, 'shape': ({Samples}, 3, {Width}, {Width}), }}".PadRight(117) + "\n";
        writer.Write([0x93, .. "NUMPY"u8, 1, 0]);
        writer.Write((ushort)header.Length);
        writer.Write(Encoding.ASCII.GetBytes(header));
        var random = new Random(420);
        for (var row = 0; row < Samples; row++)
        {
            for (var i = 0; i < 3 * Width * Width; i++)
                writer.Write(row == Poison ? 3e38f : (float)Gaussian(random));
        }
        return path;
    }

    static double Gaussian(Random random) =>
        Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
